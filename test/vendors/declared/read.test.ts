import { describe, expect, test } from "bun:test";
import { Problem } from "../../../src/core/problem.ts";
import { declaredVendors, readDeclarations } from "../../../src/vendors/declared/read.ts";
import { VENDORS } from "../../../src/vendors/index.ts";
import { ACME } from "./declare.ts";

const MINIMAL = `vendors:
  acme:
    title: Acme
    origin: https://api.acme.example
    credential: { scheme: bearer }
    operations:
      - { name: reads, route: GET /**, class: free }
`;

/** `line:column: message` of every problem. */
function problems(text: string): string[] {
  return readDeclarations(text, VENDORS).problems.map(
    ({ line, column, severity, message }) =>
      `${line}:${column}: ${severity === "warning" ? "warning: " : ""}${message}`,
  );
}

/** The minimal declaration with one line in the place of another, or after it. */
function instead(line: RegExp, text: string): string {
  if (!line.test(MINIMAL)) throw new Error(`there is no ${line}`);
  return MINIMAL.replace(line, text);
}

const withOperation = (text: string) => `${MINIMAL}      - ${text}\n`;
const withLine = (text: string) => instead(/^ {4}title: Acme$/m, `    title: Acme\n    ${text}`);

test("reads a declaration that has everything, and one that has the least", () => {
  expect(problems(ACME)).toEqual([]);
  expect(problems(MINIMAL)).toEqual([]);
  expect(readDeclarations("listen: 127.0.0.1:1\n", VENDORS)).toEqual({ vendors: [], problems: [] });
});

/** What a person mistypes, and what is said of it, with line and column. */
const WRONG: readonly (readonly [what: string, text: string, expected: string])[] = [
  ["a field", instead(/origin/, "orgin"), '4:5: "orgin" is not a field of acme; did you mean origin?'],
  [
    "a field within",
    withOperation("{ name: a, route: POST /a, clas: free }"),
    '8:36: "clas" is not a field of operations[1]; did you mean class?',
  ],
  [
    "a word",
    instead(/bearer/, "baerer"),
    '5:27: credential.scheme must be one of bearer, basic, header, not "baerer"; did you mean bearer?',
  ],
  [
    "a secret in the URL",
    instead(/bearer/, "query"),
    '5:27: credential.scheme must be one of bearer, basic, header, not "query"',
  ],
  ["a field that is left out", instead(/^ {4}title: Acme\n/m, ""), "3:5: acme has no title"],
  ["an empty field", instead(/title: Acme/, "title:"), "3:11: title is empty; give it a value"],
  ["a list for a map", instead(/\{ scheme: bearer \}/, "[bearer]"), "5:17: credential must be a map, not a list"],
  ["a map for a list", withLine("request_headers: { a: b }"), "4:22: request_headers must be a list, not a map"],
  [
    "a price",
    withOperation("{ name: a, route: POST /a, class: priced, price: { usd: $1 } }"),
    '8:65: operations[1].price.usd must be dollars like 0.0009 or 12, up to six decimals, not "$1"',
  ],
  [
    "http",
    instead(/https/, "http"),
    '4:13: origin must be https://host or https://host:port, with {account} for the account id, not "http://api.acme.example"',
  ],
  ["a path in the origin", instead(/acme\.example/, "acme.example/v1"), "4:13: origin must be https://host"],
  ["a private origin", instead(/api\.acme\.example/, "10.0.0.1"), "4:13: https://10.0.0.1 is a private address"],
  [
    "an account that is none",
    instead(/api\.acme/, "{account}.acme"),
    "4:13: origin has {account}, and there is no account",
  ],
  [
    "a route",
    withOperation("{ name: a, route: POST a, class: free }"),
    "8:27: operations[1].route must be an endpoint like POST /v1/emails, not",
  ],
  ["a method", withOperation("{ name: a, route: PSOT /a, class: free }"), '8:27: "PSOT /a" has the method PSOT'],
  [
    "a kind",
    withOperation("{ name: a, route: POST /a, class: priced, kind: mail, price: { usd: 1 } }"),
    "8:57: operations[1].kind must be one of read, write, charge",
  ],
  [
    "a refusal's code",
    withLine("errors: { body: '{\"a\": {message}}', statuses: { cap_exceded: 403 } }"),
    "4:53: cap_exceded is none of Keybrake's codes; did you mean cap_exceeded?",
  ],
  [
    "a status",
    withLine("errors: { body: '{\"a\": {message}}', statuses: { cap_exceeded: 200 } }"),
    '4:67: errors.statuses.cap_exceeded must be a status from 400 to 599, not "200"',
  ],
  [
    "a status that may have been spent",
    withLine("released_statuses: [500]"),
    '4:25: released_statuses[0] must be a status from 400 to 499, not "500"',
  ],
  ["an anchor", instead(/bearer \}/, "bearer, word: &a Token }"), "5:44: anchors (&)"],
  ["no vendors", "vendors: [acme]\n", "1:10: vendors must be a map"],
];

test.each(WRONG)("names %s by line and column", (_what, text, expected) => {
  expect(problems(text)[0]).toStartWith(expected);
  expect(readDeclarations(text, VENDORS).vendors).toEqual([]);
});

const PRICED = "name: a, route: POST /a, class: priced";

/** Declarations whose parts do not fit together. */
const UNFIT: readonly (readonly [text: string, expected: string])[] = [
  [withOperation(`{ ${PRICED} }`), "a is priced and has no price"],
  [withOperation(`{ ${PRICED}, price: {} }`), "price needs usd or amount, and not both"],
  [withOperation(`{ ${PRICED}, price: { usd: 1, amount: { at: /a, unit: minor, currency: usd } } }`), "and not both"],
  [withOperation(`{ ${PRICED}, kind: write, price: { usd: 1 } }`), "not of the kind write"],
  [withOperation(`{ ${PRICED}, price: { usd: 1, count: [{ missing: 0 }] } }`), "one of number, items and addresses"],
  [withOperation(`{ ${PRICED}, price: { usd: 1, count: [{ number: /a, items: /b }] } }`), "one of number, items"],
  [withOperation(`{ ${PRICED}, price: { usd: 1, count: [] } }`), "count is empty"],
  [withOperation(`{ ${PRICED}, price: { usd: 1, per: 1000 } }`), "per needs count"],
  [withOperation(`{ ${PRICED}, price: { usd: 1, per: 0, count: [{ number: /n }] } }`), "per must be 1 or more"],
  [
    withOperation(`{ ${PRICED}, price: { usd: 1, each: /a, count: [{ number: n }] } }`),
    "must be a JSON pointer that begins in one entry: /n",
  ],
  [withOperation(`{ ${PRICED}, price: { amount: { at: /a, unit: minor, currency: zzz } } }`), "zzz is no currency"],
  [withOperation(`{ ${PRICED}, price: { usd: 1 }, answer: { units: /a, usd: /b } }`), "a cost is read in one place"],
  [withOperation(`{ ${PRICED}, price: { usd: 1 }, answer: { amount: /a } }`), "answer.amount needs price.amount"],
  [withOperation(`{ name: a, route: POST /a, class: free, price: { usd: 1 } }`), "has a price and is not priced"],
  [
    withOperation(`{ name: a, route: POST /a, class: free, kind: refund }`),
    "what is free is of the kind read or write",
  ],
  [withOperation(`{ name: a, route: POST /a, class: closed }`), "a is closed and has no reason"],
  [withOperation(`{ name: a, route: POST /a, class: closed, reason: Keys. }`), "reason must be a half sentence"],
  [
    withOperation(`{ name: a, route: GET /a, class: closed, reason: hands out keys }`),
    '"GET /a" is never reached: "GET /**" above it',
  ],
  [
    withOperation(`{ name: a, route: "* /a", class: closed, reason: hands out keys }`),
    'some calls of "* /a" are taken by "GET /**" above it',
  ],
  [instead(/scheme: bearer/, "scheme: header"), "the scheme header needs the header's name"],
  [instead(/scheme: bearer/, "scheme: header, header: Cookie"), "Cookie is no header for a credential"],
  [instead(/scheme: bearer/, "scheme: basic"), "the scheme basic needs position"],
  [instead(/scheme: bearer/, "scheme: basic, position: password"), "position password needs an account"],
  [instead(/scheme: bearer/, "scheme: bearer, header: X-A"), "header goes with the scheme header alone"],
  [withLine("request_headers: [Authorization]"), "Authorization is never passed on"],
  [
    instead(/scheme: bearer \}/, "scheme: bearer, sdk_headers: [X-Key] }\n    request_headers: [x-key]"),
    "x-key is never passed on",
  ],
  [withLine("request_headers: [X-Forwarded-Host]"), "X-Forwarded-Host is never passed on"],
  [withLine(`errors: { body: '{"message": "{message}"}' }`), "errors.body is no JSON"],
  [withLine(`errors: { body: '[{message}]' }`), "errors.body must be a JSON object"],
  [withLine(`errors: { body: '{"code": {code}}' }`), "errors.body has no {message}"],
  [withLine(`errors: { body: '{"keybrake": {message}}' }`), "errors.body has keybrake"],
  [instead(/acme:/, "vault:"), "vault is a path of Keybrake's own"],
  [instead(/acme:/, "stripe:"), "stripe comes with Keybrake"],
  [instead(/acme:/, "emails:"), "/emails is a path of Resend's"],
  [instead(/acme:/, "Acme:"), '"Acme" is no name for a vendor'],
];

test.each(UNFIT)("finds what does not fit together: %#", (text, expected) => {
  expect(problems(text).join("\n")).toContain(expected);
  expect(readDeclarations(text, VENDORS).vendors).toEqual([]);
});

describe("an account id that becomes a part of a host's name", () => {
  const withAccount = (pattern: string) =>
    instead(/api\.acme\.example/, "{account}.acme.example").replace(
      "title: Acme",
      `title: Acme\n    account: { pattern: "${pattern}", description: the shop }`,
    );

  test.each([".+", "[a-z/]+", "\\\\S+"])("cannot be %s", (pattern) => {
    expect(problems(withAccount(pattern)).join()).toContain("the account stands in the origin, and the pattern takes");
  });

  test("has to be matched as a whole", () => {
    expect(problems(withAccount("("))).toEqual([expect.stringContaining("account.pattern is no regular expression")]);
    const [shop] = readDeclarations(withAccount("a|b"), VENDORS).vendors;
    expect(["a", "b", "ab", "xa", "a.evil.example"].map((id) => shop!.accountId!.pattern.test(id))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

test("warns of a declaration that makes every write free, and takes it", () => {
  const text = withOperation("{ name: all, route: POST /**, class: free }");
  expect(problems(text)).toEqual([
    '8:29: warning: "POST /**" is free: whatever this vendor ever sells would be free, too',
  ]);
  expect(readDeclarations(text, VENDORS).vendors).toHaveLength(1);
});

test("one vendor's mistakes do not take another's declaration away from lint", () => {
  const other = MINIMAL.replace("vendors:\n", "").replace("acme:", "bolt:").replace("Acme", "Bolt");
  const { vendors, problems: found } = readDeclarations(instead(/origin/, "orgin") + other, VENDORS);
  expect(vendors.map(({ name }) => name)).toEqual(["bolt"]);
  expect(found.map(({ line }) => line)).toEqual([4]);
});

test("a file with an error keeps Keybrake from starting, with the first error's place and how many more", () => {
  const read = () =>
    declaredVendors(instead(/origin/, "orgin").replace("scheme: bearer", "scheme: x"), "/etc/keybrake.yaml", VENDORS);
  expect(read).toThrow(Problem);
  expect(read).toThrow('/etc/keybrake.yaml:4:5: "orgin" is not a field of acme; did you mean origin? (and 1 more)');
  expect(declaredVendors(MINIMAL, "x", VENDORS)).toHaveLength(1);
});
