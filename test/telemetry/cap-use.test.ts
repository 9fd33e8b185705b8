import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { windowStart } from "../../src/core/window.ts";
import { type Budget, capsOfKey } from "../../src/ledger/budget.ts";
import { SharedBudgets } from "../../src/ledger/shared-budgets.ts";
import { BudgetSet } from "../../src/policy/budget-set.ts";
import { compilePolicies } from "../../src/policy/compile.ts";
import { type CapUse, readCapUse } from "../../src/telemetry/cap-use.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { holdOf, usd } from "../ledger/entries.ts";
import { ADMIN, type Installed, install } from "../operate/installed.ts";

const RATES = new Map([["eur", 2_000_000n]]);

let installed: Installed;
let pauses: number;

beforeEach(async () => {
  installed = await install({ config: { currencyRates: RATES } });
  pauses = 0;
});
afterEach(() => installed.close());

async function issue(policy: Record<string, unknown>, label = "run/1"): Promise<string> {
  const endpoints = { allowed_endpoints: ["POST /v1/payment_intents"] };
  const body = policy["vendors"] ? policy : { vendor: "stripe", ...endpoints, ...policy };
  return (await installed.control.issueKey({ agent_run_label: label, expires_in: "80d", policy: body }, ADMIN)).id;
}

/** Puts so many dollars on every counter that a call of the key has. */
async function spend(keyId: string, dollars: number, more: readonly Budget[] = []): Promise<void> {
  const { store, clock } = installed;
  const { policy } = (await store.getKey(keyId))!;
  const budgets = [...capsOfKey(keyId, compilePolicies(policy).values(), RATES), ...more];
  const call = holdOf(keyId, dollars, { budgets, keyVersion: 1, vendorVersion: 0, facts: { calledAt: clock.now() } });
  const [decision] = await store.apply([call], clock.now());
  expect(decision).toMatchObject({ admitted: true });
}

function shared(yaml: string): BudgetSet {
  const folder = installed.config.policiesDir;
  writeFileSync(join(folder, "budgets.yaml"), yaml);
  return new BudgetSet(
    folder,
    VENDORS.map(({ name }) => name),
  );
}

function read(budgets: BudgetSet = installed.budgets): Promise<CapUse> {
  const { store, clock } = installed;
  const pause = async () => {
    pauses += 1;
  };
  return readCapUse({ store, budgets, rates: RATES, pause }, clock.now());
}

describe("keys", () => {
  test("are near a cap by the one of which they have used most: of a day, 24 hours, a lifetime, a kind, a currency", async () => {
    await spend(await issue({ daily_usd_cap: 100 }), 79);
    await spend(await issue({ daily_usd_cap: 100 }), 80);
    await spend(await issue({ daily_usd_cap: 1000, total_usd_cap: 100 }), 85);
    await spend(await issue({ daily_usd_cap: 100, cap_window: "rolling_24h" }), 100);
    await spend(await issue({ daily_cap: { amount: 50, currency: "eur" } }), 95);
    await issue({ daily_usd_cap: 100, caps: { payout: { daily_usd: 0 } } });
    await issue({});
    expect(await read()).toMatchObject({ keysNear: [4, 1], keysSeen: 7 });
  });

  test("for several vendors are near a cap by that of one vendor, and by the one over all of them", async () => {
    const vendors = { stripe: { allowed_endpoints: ["POST /v1/payment_intents"] }, twilio: { allowed_endpoints: [] } };
    await spend(await issue({ vendors, per_vendor_daily_caps: { stripe: 100 }, daily_usd_cap_total: 1000 }), 90);
    await spend(await issue({ vendors, per_vendor_daily_caps: { stripe: 1000 }, daily_usd_cap_total: 100 }), 100);
    expect(await read()).toMatchObject({ keysNear: [2, 1], keysSeen: 2 });
  });

  test("count no more when they are revoked, and a new day begins from nothing", async () => {
    const [first, second] = [await issue({ daily_usd_cap: 10 }), await issue({ daily_usd_cap: 10 })];
    await spend(first, 10);
    await spend(second, 10);
    await installed.control.revokeKeys({ ids: [first] }, ADMIN);
    expect(await read()).toMatchObject({ keysNear: [1, 1], keysSeen: 1 });
    installed.clock.nowMs += 86_400_000;
    expect(await read()).toMatchObject({ keysNear: [0, 0], keysSeen: 1 });
  });

  test("are looked at in slices, with room for calls between them", async () => {
    for (let count = 0; count < 250; count++) await issue({ daily_usd_cap: 10 });
    expect(await read()).toMatchObject({ keysSeen: 250 });
    expect(pauses).toBe(5);
  });
});

describe("budgets above keys", () => {
  test("show each of their caps; of a family the member that has used most, and how many are near", async () => {
    const set = shared(`budgets:
  - { name: platform, daily_usd_cap: 1000, total_usd_cap: 10000 }
  - { name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 100 }
`);
    const index = new SharedBudgets(set.current().budgets, RATES);
    for (const [tenant, dollars] of [
      ["acme", 100],
      ["we:ird", 10],
      ["%3a", 90],
    ] as const) {
      const label = `tenant:${tenant}:run`;
      await spend(await issue({}, label), dollars, index.of("stripe", label));
    }
    const { budgets, budgetsLeftOut } = await read(set);
    expect(budgets).toEqual([
      { budget: "platform", cap: "daily_usd_cap", ratio: 0.2, membersNear: undefined },
      { budget: "platform", cap: "total_usd_cap", ratio: 0.02, membersNear: undefined },
      { budget: "per-tenant", cap: "daily_usd_cap", ratio: 1, membersNear: [2, 1] },
    ]);
    expect(budgetsLeftOut).toBe(0);
  });

  test("of a family make the same few series whether there is one member or thousands", async () => {
    const set = shared(`budgets: [{ name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 100 }]\n`);
    const index = new SharedBudgets(set.current().budgets, RATES);
    const key = await issue({});
    const { store, clock } = installed;
    const of = (member: number) => index.of("stripe", `tenant:m${member}"\n:`);
    const holds = Array.from({ length: 2_000 }, (_, member) =>
      holdOf(key, 85, { budgets: of(member), vendorVersion: 0 }),
    );
    for (let from = 0; from < holds.length; from += 500) await store.apply(holds.slice(from, from + 500), clock.now());
    expect((await read(set)).budgets).toEqual([
      { budget: "per-tenant", cap: "daily_usd_cap", ratio: 0.85, membersNear: [2_000, 0] },
    ]);
    const start = windowStart("utc_day", clock.now());
    expect(await store.countersUnder("budget:", [start])).toHaveLength(2_000);
    expect((await store.countersUnder("budget:", [start]))[0]!.used).toBe(usd(85));
  });

  test("beyond the first hundred make no series, and are counted instead", async () => {
    const line = (index: number) => `  - { name: b-${index}, daily_usd_cap: 100 }\n`;
    const set = shared(`budgets:\n${Array.from({ length: 103 }, (_, index) => line(index)).join("")}`);
    const { budgets, budgetsLeftOut } = await read(set);
    expect(budgets).toHaveLength(100);
    expect(budgetsLeftOut).toBe(3);
  });
});
