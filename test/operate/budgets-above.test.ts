import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { SharedBudgets } from "../../src/ledger/shared-budgets.ts";
import type { ExplainRequest, ExplainView } from "../../src/operate/policy-verbs.ts";
import { parseVaultKey } from "../../src/vault/vault-key.ts";
import { dailyCap, holdOf } from "../ledger/entries.ts";
import { issue } from "../store/records.ts";
import { ADMIN, type Installed, install, problemOf, START_MS } from "./installed.ts";

let installed: Installed;

beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

const PLATFORM = "{ name: platform, daily_usd_cap: 1000, total_usd_cap: 9000 }";
const FAMILY = '{ name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 60 }';
/** Where its cap stands behind `  - `. */
const CAP_COLUMN = "  - ".length + FAMILY.indexOf("daily_usd_cap") + 1;
const REFUNDS = "{ name: refunds, match: { kind: refund }, daily_usd_cap: 5 }";
const MAILS = "{ name: mails, match: { vendor: resend }, daily_send_cap: 50 }";

function write(...budgets: readonly string[]): void {
  writeFileSync(installed.budgets.path, `budgets:\n${budgets.map((one) => `  - ${one}\n`).join("")}`);
}

/** A call of another key under `label`, for so many dollars. */
async function spendElsewhere(label: string, dollars: number): Promise<void> {
  const { store, budgets, config } = installed;
  const { id } = await issue(store, { label });
  const shared = new SharedBudgets(budgets.current().budgets, config.currencyRates).of("stripe", label);
  const [decision] = await store.apply([holdOf(id, dollars, { budgets: [dailyCap(id, 900), ...shared] })], START_MS);
  expect(decision).toMatchObject({ admitted: true });
}

function issueBilling(agent_run_label: string) {
  return installed.control.issueKey({ template: "billing", policy: {}, agent_run_label }, ADMIN);
}

describe("policy explain", () => {
  function explain(request: Partial<ExplainRequest>): Promise<ExplainView> {
    const charge = { method: "POST", path: "/v1/payment_intents", body: "amount=2999&currency=usd" };
    return installed.control.explain({ ...charge, ...request });
  }
  const brief = ({ budgets }: ExplainView) =>
    budgets.map(({ budget, cap_field, remaining, remaining_after: after }) => [budget, cap_field, remaining, after]);

  test("goes by the budgets above a key as by its own, and says what is left of each after the call", async () => {
    write(PLATFORM, FAMILY, REFUNDS, MAILS);
    await spendElsewhere("tenant:a:1", 20);
    const { id } = await issueBilling("tenant:a:2");
    const view = await explain({ key_id: id });
    expect(view.verdict).toBe("allowed");
    expect(brief(view)).toEqual([
      ["daily_usd_cap", "daily_usd_cap", "500.00", "470.01"],
      ["platform", "daily_usd_cap", "980.00", "950.01"],
      ["platform", "total_usd_cap", "8980.00", "8950.01"],
      ["per-tenant:a", "daily_usd_cap", "40.00", "10.01"],
    ]);
  });

  test("names the budget that is full, with the field that fills it and what is left", async () => {
    write(PLATFORM, FAMILY);
    await spendElsewhere("tenant:a:1", 40);
    const { id } = await issueBilling("tenant:a:2");
    const view = await explain({ key_id: id });
    const rule = "budgets.per-tenant.daily_usd_cap";
    expect(view).toMatchObject({ verdict: "cap_exceeded", status: 429, rule });
    expect(view.rule_place).toEqual({ file: "budgets.yaml", line: 3, column: CAP_COLUMN, key_id: null });
    expect(view.message).toContain(
      `per-tenant:a (${rule}) is $60.00, of which $20.00 is left, and this call needs more`,
    );
    expect(brief(view).at(-1)).toEqual(["per-tenant:a", "daily_usd_cap", "20.00", null]);
    const other = await issueBilling("tenant:b:1");
    expect((await explain({ key_id: other.id })).verdict).toBe("allowed");
  });

  test("lets through what fits exactly, and not a cent more", async () => {
    write(FAMILY);
    await spendElsewhere("tenant:a:1", 30);
    const { id } = await issueBilling("tenant:a:2");
    for (const [cents, verdict] of [
      [3000, "allowed"],
      [3001, "cap_exceeded"],
    ] as const) {
      expect((await explain({ key_id: id, body: `amount=${cents}&currency=usd` })).verdict).toBe(verdict);
    }
  });

  test("counts for a template only what matches calls without a run label", async () => {
    write(FAMILY, "{ name: small, daily_usd_cap: 10 }");
    const view = await explain({ template: "billing" });
    expect([view.verdict, view.rule]).toEqual(["cap_exceeded", "budgets.small.daily_usd_cap"]);
    expect(brief(view).map(([name]) => name!)).toEqual(["daily_usd_cap", "small"]);
  });

  test("goes for a template by the label that its key would have: by budgets, and by brakes", async () => {
    write(PLATFORM, FAMILY);
    await spendElsewhere("tenant:a:1", 50);
    const byLabel = (label: string) => explain({ template: "billing", label });
    expect(brief(await byLabel("tenant:b:2")).map(([name, , left]) => [name, left])).toEqual([
      ["daily_usd_cap", "500.00"],
      ["platform", "950.00"],
      ["platform", "8950.00"],
      ["per-tenant:b", "60.00"],
    ]);
    expect(await byLabel("tenant:a:2")).toMatchObject({
      verdict: "cap_exceeded",
      rule: "budgets.per-tenant.daily_usd_cap",
      rule_place: { file: "budgets.yaml", line: 3, column: CAP_COLUMN, key_id: null },
    });
    await installed.control.engageBrake({ label_prefix: "tenant:b:" });
    expect([(await byLabel("tenant:b:2")).verdict, (await byLabel("tenant:c:2")).verdict]).toEqual([
      "brake_engaged",
      "allowed",
    ]);
  });

  test("names the line of a budget that decides for a key, too, and takes no other label for it", async () => {
    write(FAMILY);
    await spendElsewhere("tenant:a:1", 50);
    const { id } = await issueBilling("tenant:a:2");
    expect((await explain({ key_id: id })).rule_place).toMatchObject({ file: "budgets.yaml", line: 2 });
    expect((await problemOf(() => explain({ key_id: id, label: "tenant:b:1" }))).message).toContain("issued with");
    expect((await problemOf(() => explain({ template: "billing", label: "a\nb" }))).code).toBe("invalid");
  });

  test("refuses to guess where the file is broken from the beginning", async () => {
    write("{ name: platform, daily_usd: 5 }");
    expect((await problemOf(() => explain({ template: "billing" }))).message).toContain("budgets.yaml:2:23:");
  });
});

describe("a key's own view", () => {
  test("shows operator and agent the budgets above it, and what is left of them", async () => {
    write(FAMILY, REFUNDS, MAILS);
    await spendElsewhere("tenant:a:1", 20);
    await spendElsewhere("tenant:b:1", 5);
    const { id, vault_key } = await issueBilling("tenant:a:2");
    const parsed = parseVaultKey(vault_key);
    const daily = {
      cap_field: "daily_usd_cap",
      unit: "usd",
      window: "utc_day",
      reset_at: "2026-01-02T00:00:00.000Z",
    } as const;
    const above = [
      { ...daily, budget: "per-tenant:a", kind: null, cap: "60.00", used: "20.00", remaining: "40.00" },
      { ...daily, budget: "refunds", kind: "refund", cap: "5.00", used: "0.00", remaining: "5.00" },
    ];
    expect((await installed.control.showKey(id, ADMIN)).shared_budgets).toEqual(above);
    const self = await installed.control.self(parsed.ok ? parsed.hash : new Uint8Array());
    expect(self.shared_budgets).toEqual(above);
    expect(self.spend.budgets.map(({ budget }) => budget)).toEqual(["daily_usd_cap"]);
  });

  test("is shown without them where the file is broken from the beginning", async () => {
    const { id } = await issueBilling("tenant:a:2");
    write("{ name: platform, daily_usd: 5 }");
    expect(await installed.control.showKey(id, ADMIN)).toMatchObject({ id, shared_budgets: null });
    write(FAMILY);
    expect((await installed.control.showKey(id, ADMIN)).shared_budgets).toHaveLength(1);
  });
});
