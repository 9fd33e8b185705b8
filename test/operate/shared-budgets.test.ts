import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { SharedBudgets } from "../../src/ledger/shared-budgets.ts";
import type { ControlPlane } from "../../src/operate/control-plane.ts";
import { dailyCap, holdOf } from "../ledger/entries.ts";
import { issue } from "../store/records.ts";
import { ADMIN, AUDITOR, type Installed, install, issuer, problemOf, START_MS } from "./installed.ts";

let installed: Installed;
let control: ControlPlane;

beforeEach(async () => {
  installed = await install();
  control = installed.control;
});
afterEach(() => installed.close());

const TEXT = `budgets:
  - { name: platform, daily_usd_cap: 100, total_usd_cap: 900 }
  - { name: mails, match: { vendor: resend }, daily_send_cap: 50 }
  - { name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 30 }
`;

function write(text: string): void {
  writeFileSync(installed.budgets.path, text);
}

/** A call of 10 dollars under `label`. */
async function spend(label: string): Promise<void> {
  const { store, budgets, config } = installed;
  const { id } = await issue(store, { label });
  const shared = new SharedBudgets(budgets.current().budgets, config.currencyRates).of("stripe", label);
  const [decision] = await store.apply([holdOf(id, 10, { budgets: [dailyCap(id, 100), ...shared] })], START_MS);
  expect(decision).toMatchObject({ admitted: true });
}

const brief = async (filter = {}, actor = ADMIN) =>
  (await control.listSharedBudgets(filter, actor)).map(({ budget, cap_field, used }) => [budget, cap_field, used]);

describe("listSharedBudgets", () => {
  test("lists none where there is no file", async () => {
    expect(await control.listSharedBudgets({}, ADMIN)).toEqual([]);
  });

  test("lists caps, use and reset time in the order of the file, and of a family who has used it", async () => {
    write(TEXT);
    expect(await brief()).toEqual([
      ["platform", "daily_usd_cap", "0.00"],
      ["platform", "total_usd_cap", "0.00"],
      ["mails", "daily_send_cap", "0"],
      ["per-tenant", "daily_usd_cap", "0.00"],
    ]);
    for (const label of ["tenant:b:1", "tenant:a b:1", "tenant:b:2"]) await spend(label);
    expect(await brief()).toEqual([
      ["platform", "daily_usd_cap", "30.00"],
      ["platform", "total_usd_cap", "30.00"],
      ["mails", "daily_send_cap", "0"],
      ["per-tenant:a%20b", "daily_usd_cap", "10.00"],
      ["per-tenant:b", "daily_usd_cap", "20.00"],
    ]);
    expect((await control.listSharedBudgets({}, ADMIN)).at(-1)).toEqual({
      budget: "per-tenant:b",
      cap_field: "daily_usd_cap",
      unit: "usd",
      window: "utc_day",
      cap: "30.00",
      used: "20.00",
      remaining: "10.00",
      reset_at: "2026-01-02T00:00:00.000Z",
      match: { vendor: null, label_prefix: "tenant:*:", kind: null },
      member: "b",
    });
  });

  test.each([
    [{ vendor: "stripe" }, ["platform", "platform", "per-tenant:a", "per-tenant:b"]],
    [{ vendor: "resend" }, ["platform", "platform", "mails", "per-tenant:a", "per-tenant:b"]],
    [{ label_contains: "tenant:b" }, ["per-tenant:b"]],
    [{ label_contains: "nobody" }, []],
  ])("filters by %j", async (filter, expected) => {
    write(TEXT);
    for (const label of ["tenant:a:1", "tenant:b:1"]) await spend(label);
    expect((await brief(filter)).map(([name]) => name!)).toEqual(expected);
  });

  test("tells an auditor and no issuer, who would learn what others spend", async () => {
    write(TEXT);
    expect(await brief({}, AUDITOR)).toHaveLength(4);
    expect(await brief({}, issuer())).toEqual([]);
  });

  test("refuses a file that is broken from the beginning, with its line", async () => {
    write("budgets:\n  - { name: platform, daily_usd: 5 }\n");
    const problem = await problemOf(() => control.listSharedBudgets({}, ADMIN));
    expect(problem.message).toContain("budgets.yaml:2:23: budgets[0] has");
  });
});

describe("doctor", () => {
  const found = async () => (await control.doctor()).filter(({ check }) => check === "budgets");

  test("says nothing of a file that is not there, counts a sound one's budgets", async () => {
    expect(await found()).toEqual([]);
    write(TEXT);
    expect(await found()).toMatchObject([{ level: "ok", message: expect.stringContaining("3 budgets above keys") }]);
  });

  test("says where a broken one is broken, and what is in use instead", async () => {
    write("budgets: 5\n");
    expect(await found()).toMatchObject([{ level: "error", message: expect.stringContaining("budgets.yaml:1:10:") }]);
    write(TEXT);
    await found();
    write("budgets: 5\n");
    const [finding] = await found();
    expect(finding!.message).toContain("its last good version, of 3 budgets, is in use");
  });
});
