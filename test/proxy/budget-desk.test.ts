import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BudgetSet } from "../../src/policy/budget-set.ts";
import { BudgetDesk } from "../../src/proxy/budget-desk.ts";
import type { RingKey } from "../../src/proxy/key-ring.ts";
import { dailyCap } from "../ledger/entries.ts";

let directory: string;
let logged: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "budgets-"));
  logged = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const write = (text: string) => writeFileSync(join(directory, "budgets.yaml"), text);
const log = { info: (event: string) => logged.push(event), error: (event: string) => logged.push(event) };
const desk = () => new BudgetDesk({ set: new BudgetSet(directory, ["stripe"]), rates: new Map(), log });
/** `of` reads these two alone. */
const key = (label: string | null) => ({ label, budgets: [dailyCap("vk_1", 5)] }) as unknown as RingKey;
const turn = () => new Promise<void>((done) => setImmediate(done));

test("a call is charged to its key's own caps first, without a file to them alone", () => {
  const one = key("a");
  expect(desk().of(one, "stripe")).toBe(one.budgets);
  write("budgets: [{ name: platform, daily_usd_cap: 1 }]");
  expect(
    desk()
      .of(one, "stripe")
      .map(({ name }) => name),
  ).toEqual(["daily_usd_cap", "platform"]);
});

test("a server does not start with a file that is broken: what it was to hold back would go through", () => {
  write("budgets:\n  - { name: platform, daily_usd: 1 }\n");
  expect(desk).toThrow("budgets.yaml:2:23: budgets[0] has");
});

test("what matches a key is found once for each vendor, and anew when the file has changed", async () => {
  write("budgets: [{ name: a, match: { vendor: stripe }, daily_usd_cap: 1 }, { name: b, daily_usd_cap: 1 }]");
  const budgets = desk();
  const one = key(null);
  const found = budgets.of(one, "stripe");
  expect(budgets.of(one, "stripe")).toBe(found);
  expect(budgets.of(one, "twilio").map(({ name }) => name)).toEqual(["daily_usd_cap", "b"]);
  write("budgets: [{ name: c, daily_usd_cap: 1 }]");
  await turn();
  expect(budgets.of(one, "stripe").map(({ name }) => name)).toEqual(["daily_usd_cap", "c"]);
  rmSync(join(directory, "budgets.yaml"));
  await turn();
  expect(budgets.of(one, "stripe")).toBe(one.budgets);
  expect(logged).toEqual(["budgets_loaded", "budgets_loaded"]);
});

test("a file that becomes unreadable leaves the last good version in use", async () => {
  write("budgets: [{ name: a, daily_usd_cap: 1 }]");
  const budgets = desk();
  rmSync(join(directory, "budgets.yaml"));
  // A directory of that name cannot be read by anybody, root included.
  await Bun.write(join(directory, "budgets.yaml", "x"), "");
  await turn();
  expect(budgets.of(key(null), "stripe").map(({ name }) => name)).toEqual(["daily_usd_cap", "a"]);
  expect(logged).toEqual(["budgets_broken"]);
});
