import { between, type Random } from "../random.ts";

const FORM_PIECES =
  "a b A amount currency = = = & & & [ ] [] [b] [0] [00] [1] %5B %5d %61 %41 + %20 %2B % %zz é %C3%A9 %C3 . ; %3B %3D %26 0 %0A %00 _ ' ＝".split(
    " ",
  );
const JSON_PIECES =
  '{ } [ ] , : "a" "b" "A" "\\u0061" "amount" "" "__proto__" "a\\u0000" "é" "\\ud800" "\\n" 0 -0 1 01 1.5 1e2 1e400 9007199254740993 true false null NaN \' // \u00a0'
    .split(" ")
    .concat(" ", "\n");
const TARGET_PIECES =
  "/ / / v1 payouts charges . .. %2e %2E %2F %5C %40 %3A %C3%A9 %EF%BC%8F %00 %25 \\ ; : @ ~ ? & = # a%61 é * //".split(
    " ",
  );

/** A few well-formed beginnings: most strings of pieces alone are refused at their first character. */
const FORMS = ["amount=1&currency=usd", "a[b]=1&a[c]=2", "x[]=1&x[]=2", "a=%20b", "metadata[k]=v&amount=5"];
const JSONS = ['{"amount":1,"a":[1,2]}', '[{"a":"b"}]', '{"a":{"b":null},"c":true}', '{"é":"\\u00e9","n":0.50}'];
const TARGETS = [
  "/v1/payment_intents",
  "/stripe/v1/charges?limit=3",
  "/Accounts/AC1/Messages.json",
  "/emails/a%40b",
  "/v1/x:y",
];

/** Form texts, JSON texts and request targets, about half of them nearly right. */
export const INPUTS = {
  form: (random: Random) => near(random, FORMS, FORM_PIECES),
  json: (random: Random) => near(random, JSONS, JSON_PIECES),
  target: (random: Random) => near(random, TARGETS, TARGET_PIECES),
} as const;

const PIECES_MAX = 9;
const CHANGES_MAX = 3;

function near(random: Random, samples: readonly string[], pieces: readonly string[]): string {
  const piece = () => pieces[between(random, 0, pieces.length)]!;
  if (random() < 0.5) return Array.from({ length: between(random, 1, PIECES_MAX) }, piece).join("");
  let text = samples[between(random, 0, samples.length)]!;
  for (let change = between(random, 0, CHANGES_MAX); change > 0; change--) {
    const at = between(random, 0, text.length + 1);
    const cut = between(random, 0, 3);
    text = text.slice(0, at) + piece() + text.slice(at + cut);
  }
  return text;
}
