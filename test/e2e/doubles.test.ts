import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatUsd, parseUsd } from "../../src/core/money.ts";
import { type Bench, type IssuedKey, makeBench } from "../harness/keybrake.ts";
import { runSdk, type SdkResult } from "../harness/sdk.ts";
import { ACCOUNT_SID, setVendor } from "../harness/vendor-account.ts";
import { BOOKS, MICROS_PER_RECIPIENT, MICROS_PER_SEGMENT } from "./doubles/books.ts";
import { type DoubleName, type Doubles, startDoubles, TWILIO_TOKEN } from "./doubles/doubles.ts";
import { RESEND, type Scenario, STATEFUL, STRIPE, TWILIO, USUAL } from "./doubles/scenarios.ts";

/** Looks like a secret to the tests and to nobody else. */
const SECRETS: Readonly<Record<DoubleName, string>> = {
  stateful: "sk_test_stateful_real_secret",
  stripe: "sk_test_emulate_real_secret",
  twilio: TWILIO_TOKEN,
  resend: "re_emulate_real_secret",
};

let doubles: Doubles;
/** An installation has one address per vendor, so the two Stripes have one each. */
const benches: Bench[] = [];
const sites = {} as Record<DoubleName, { readonly bench: Bench; readonly url: string }>;

beforeAll(async () => {
  doubles = await startDoubles();
  for (const names of [["stateful"], ["stripe", "twilio", "resend"]] as const) {
    const bench = await makeBench();
    benches.push(bench);
    for (const name of names) {
      await setVendor(bench, USUAL[name].sdk, { origin: doubles.of[name].hop.url, secret: SECRETS[name] });
    }
    writeFileSync(join(bench.dataDir, "keybrake.yaml"), PRICES);
    const { url } = await bench.serve();
    for (const name of names) sites[name] = { bench, url };
  }
});

const PRICES = `prices:
  twilio: { twilio.sms.+1: ${formatUsd(MICROS_PER_SEGMENT)} }
  resend: { resend.email: ${formatUsd(MICROS_PER_RECIPIENT)} }
`;

afterAll(async () => {
  await Promise.all(benches.map((bench) => bench.stop()));
  await doubles?.stop();
});

/** `done`, or the class or name of the error, with what was said where a test fails. */
function outcomeOf({ ok, name, value }: SdkResult): string {
  return ok ? "done" : (name ?? value!.error!.name);
}

async function playScenario(name: DoubleName, { policy = [], outside, calls }: Scenario) {
  const { bench, url } = sites[name];
  const { sdk, policy: usual } = USUAL[name];
  const { origin, hop } = doubles.of[name];
  const objects = outside ? [await makeOutside(origin, outside)] : [];
  const [before, seen] = [await BOOKS[name](origin), hop.attempts.length];
  const key = await bench.json<IssuedKey>(["key", "issue", "--vendor", sdk, "--expires-in", "1h", ...usual, ...policy]);
  const results = await runSdk({
    sdk,
    url,
    key: key.vault_key,
    credentials: [ACCOUNT_SID, key.vault_key],
    calls: JSON.parse(JSON.stringify(calls).replaceAll("$outside.id", String(objects[0]?.id))),
  });
  const rows = await bench.json<AuditRow[]>(["audit", "--key", key.id]);
  return {
    results,
    rows,
    movedMicros: (await BOOKS[name](origin)) - before,
    arrived: hop.attempts.slice(seen),
  };
}

interface AuditRow {
  readonly state: string;
  readonly cost_usd: string | null;
}

async function makeOutside(origin: string, { path, form }: NonNullable<Scenario["outside"]>): Promise<{ id: string }> {
  const headers = { authorization: "Bearer sk_test_somebody_else" };
  const answer = await fetch(`${origin}${path}`, { method: "POST", headers, body: new URLSearchParams(form) });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { id: string };
}

const withoutIds = (path: string) => path.replaceAll(/\/(?:[a-z]{2}_[\w-]+|AC[0-9a-f]{32})/g, "/*");

describe.each([
  ["stripe-stateful-mock", "stateful", STATEFUL],
  ["emulate's Stripe", "stripe", STRIPE],
  ["emulate's Twilio", "twilio", TWILIO],
  ["emulate's Resend", "resend", RESEND],
] as const)("%s", (_, name, scenarios) => {
  test.each(scenarios.map((scenario) => [scenario.title, scenario] as const))("%s", async (_, scenario) => {
    const { results, rows, movedMicros, arrived } = await playScenario(name, scenario);
    const told = JSON.stringify(results.map((result) => (result.ok ? "done" : result)));
    expect(results.map(outcomeOf), told).toEqual([...scenario.outcomes]);
    expect(formatUsd(movedMicros)).toBe(formatUsd(parseUsd(scenario.moved)));
    const settled = rows.reduce((sum, { cost_usd }) => sum + parseUsd(cost_usd ?? "0"), 0n);
    expect(formatUsd(settled)).toBe(formatUsd(parseUsd(scenario.counted ?? scenario.moved)));
    const open = rows.filter(({ state }) => state === "held" || state === "unresolved");
    expect(open.map(({ state }) => state)).toEqual(Array(scenario.unresolved ?? 0).fill("unresolved"));
    if (scenario.arrives) {
      // Keybrake asks Twilio for the prices of earlier messages when it likes.
      const calls = arrived.filter(({ method }) => name !== "twilio" || method === "POST");
      expect(calls.map(({ method, path }) => `${method} ${withoutIds(path)}`)).toEqual([...scenario.arrives]);
    }
    const verified = await sites[name].bench.cli(["audit", "verify"]);
    expect(verified.code, verified.stderr).toBe(0);
  });

  test("saw the real secret with every request, and nothing else", () => {
    const secret = SECRETS[name];
    const expected = name === "twilio" ? `Basic ${btoa(`${ACCOUNT_SID}:${secret}`)}` : `Bearer ${secret}`;
    const seen = new Set(doubles.of[name].hop.attempts.map(({ authorization }) => authorization));
    expect([...seen]).toEqual([expected]);
  });
});

/** The doubles that check credentials at all; emulate's Stripe and Resend take any. */
test.each([
  ["stripe-stateful-mock", "stateful", "/v1/charges"],
  ["emulate's Twilio", "twilio", `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`],
] as const)("%s refuses a vault key, so that what it took came with the secret", async (_, name, path) => {
  const policy = ["--daily-usd-cap", "5", "--allowed-endpoints", `GET ${path}`, "--expires-in", "1h"];
  const { bench, url } = sites[name];
  const { sdk } = USUAL[name];
  const { vault_key } = await bench.json<IssuedKey>(["key", "issue", "--vendor", sdk, ...policy]);
  const credential = name === "twilio" ? `Basic ${btoa(`${ACCOUNT_SID}:${vault_key}`)}` : `Bearer ${vault_key}`;
  const ask = (target: string) => fetch(target, { headers: { authorization: credential } });
  expect((await ask(`${doubles.of[name].origin}${path}`)).status).toBe(401);
  expect((await ask(`${url}/${sdk}${path}`)).status).toBe(200);
});
