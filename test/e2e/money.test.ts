import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SANDBOX_ACCOUNT_IDS } from "../../src/sandbox/sandbox.ts";
import { type Bench, eventually, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { runSdk, type SdkPlan, type SdkResult } from "../harness/sdk.ts";
import { RESEND, type Scenario, STRIPE, TWILIO, UP_TO_500 } from "./money/scenarios.ts";

const ACCOUNT_SID = SANDBOX_ACCOUNT_IDS.get("twilio")!;
/** The server asks 15 s after the call, and looks every 5 s for what is due. */
const RECONCILED_MS = 40_000;

interface Row {
  readonly id: string;
  readonly state: string;
  readonly cost_usd: string;
  readonly cost_source: string;
  readonly refers_to: string | null;
}

interface Budget {
  readonly key_id: string;
  readonly budget: string;
  readonly used: string;
}

let bench: Bench;
let server: RunningKeybrake;
let twilio: IssuedKey;
let payout: SdkResult;

beforeAll(async () => {
  bench = await makeBench();
  server = await bench.serve(["--sandbox"]);
  const instant = { amount: 4000, currency: "usd", method: "instant" };
  [payout] = (await run("stripe", await issue("stripe", UP_TO_500), [["payouts.create", instant]])) as [SdkResult];
});
afterAll(() => bench.stop());

const rowsOf = ({ id }: IssuedKey) => bench.json<Row[]>(["audit", "--key", id]);

async function usedOf({ id }: IssuedKey): Promise<Record<string, string>> {
  const budgets = await bench.json<Budget[]>(["budget", "list"]);
  const own = budgets.filter(({ key_id }) => key_id === id);
  return Object.fromEntries(own.map(({ budget, used }) => [budget, used]));
}

/** `done`, or the class or name of the error. */
function outcomeOf({ ok, name, value }: SdkResult): string {
  return ok ? "done" : (name ?? value!.error!.name);
}

function issue(vendor: string, policy: readonly string[]): Promise<IssuedKey> {
  return bench.json<IssuedKey>(["key", "issue", "--vendor", vendor, "--expires-in", "1h", ...policy]);
}

function run(sdk: SdkPlan["sdk"], key: IssuedKey, calls: SdkPlan["calls"]): Promise<readonly SdkResult[]> {
  const credentials = [ACCOUNT_SID, key.vault_key] as const;
  return runSdk({ sdk, key: key.vault_key, credentials, url: server.url, calls });
}

/** Runs the official SDK and holds what it and the books say against the scenario. */
async function play(scenario: Scenario): Promise<IssuedKey> {
  const { sdk, policy, outside, outcomes, costs, used } = scenario;
  const [made] = outside ? await run(sdk, await issue(sdk, UP_TO_500), [outside]) : [];
  const calls = JSON.parse(JSON.stringify(scenario.calls).replaceAll("$outside.id", String(made?.value?.["id"])));
  const key = await issue(sdk, policy);
  const results = await run(sdk, key, calls);
  const told = JSON.stringify(results.map((result) => (result.ok ? "done" : result)));
  expect(results.map(outcomeOf), told).toEqual([...outcomes]);
  const rows = await rowsOf(key);
  expect(rows.map(({ state, cost_usd }) => (state === "refused" ? null : cost_usd))).toEqual([...costs]);
  expect(await usedOf(key)).toEqual(used);
  return key;
}

async function expectSoundBooks(): Promise<void> {
  const verified = await bench.cli(["audit", "verify"]);
  expect(verified.code, verified.stderr).toBe(0);
  const checks = await bench.json<{ check: string; level: string }[]>(["doctor"]);
  expect(checks.filter(({ level }) => level === "error")).toEqual([]);
  expect(checks.find(({ check }) => check === "counters")).toMatchObject({ level: "ok" });
}

test(`with twilio-node ${TWILIO.title}`, async () => {
  twilio = await play(TWILIO);
  await expectSoundBooks();
});

describe.each([
  ["stripe-node", STRIPE],
  ["resend-node", RESEND],
] as const)("with %s", (_, scenarios) => {
  test.each(scenarios.map((scenario) => [scenario.title, scenario] as const))("%s", async (_, scenario) => {
    await play(scenario);
    await expectSoundBooks();
  });
});

test("Stripe's SDK is told at a cap how much is left of it, and that a repeat is in vain", async () => {
  const key = await issue("stripe", [...UP_TO_500, "--caps", "refund.daily_usd=30"]);
  const charge = { amount: 4000, currency: "usd", source: "tok_visa" };
  const calls = [
    ["charges.create", charge],
    ["refunds.create", { charge: "$0.id" }],
  ] as const;
  const [, refused] = await run("stripe", key, calls);
  expect(refused).toMatchObject({ name: "StripeRateLimitError", status: 429, code: "keybrake_cap_exceeded" });
  expect(refused!.message).toContain(
    "caps.refund.daily_usd is reached: $0.00 of $30.00 is used and this call may cost $40.00",
  );
  expect(refused!.headers).toMatchObject({ "stripe-should-retry": "false", "x-keybrake-cap-hit": "true" });
});

test("a payout that is in the bank by now counts whole when it is reversed, however negative Stripe's answer is", async () => {
  const key = await issue("stripe", [...UP_TO_500, "--caps", "payout.daily_usd=60"]);
  const id = payout.value!["id"];
  const [reversed, again] = await run("stripe", key, [
    ["payouts.reverse", id],
    ["payouts.reverse", id],
  ]);
  expect(reversed).toMatchObject({ ok: true, value: { amount: -4000, original_payout: id } });
  expect(again).toMatchObject({ ok: false, name: "StripeRateLimitError" });
  expect(await usedOf(key)).toEqual({ daily_usd_cap: "40.00", "caps.payout.daily_usd": "40.00" });
  await expectSoundBooks();
});

test(
  "Twilio's prices come later as rows of their own, and the cap gets back what was counted too much",
  async () => {
    const later = await eventually(async () => {
      const rows = (await rowsOf(twilio)).filter(({ cost_source }) => cost_source === "reconciled");
      return rows.length === 2 ? rows : undefined;
    });
    const [message, call] = await rowsOf(twilio);
    const differences = new Map(later.map(({ refers_to, cost_usd }) => [refers_to, cost_usd]));
    expect(differences).toEqual(
      new Map([
        [message!.id, "-0.007"],
        [call!.id, "-0.126"],
      ]),
    );
    expect(await usedOf(twilio)).toEqual({ daily_usd_cap: "0.0223", daily_send_cap: "1" });
    const listed = await bench.cli(["audit", "--key", twilio.id]);
    expect(listed.stdout).toContain(`later price of ${message!.id}`);
    expect(listed.stderr + listed.stdout).toContain("3 calls, 0 refused, $0.0223 settled");
    await expectSoundBooks();
  },
  RECONCILED_MS,
);
