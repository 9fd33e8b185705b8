import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BudgetsRead, type BudgetsToRead, budgetsRead } from "../../src/policy/budget-reading.ts";
import { BudgetSet } from "../../src/policy/budget-set.ts";
import { readBeside } from "../../src/policy/read-beside.ts";

let folder: string;
let set: BudgetSet;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keybrake-budgets-"));
  set = new BudgetSet(folder, ["stripe"]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** So many budgets with this cap; 500 of them are a long file. */
function text(cap: string, count = 500): string {
  const lines = Array.from(
    { length: count },
    (_, n) => `  - { name: tenant-${n}, match: { label_prefix: "tenant:${n}:" }, daily_usd_cap: ${cap} }`,
  );
  return ["budgets:", ...lines, ""].join("\n");
}

let versions = 0;
function write(content: string): void {
  const draft = join(folder, `draft-${versions++}`);
  writeFileSync(draft, content);
  renameSync(draft, set.path);
}

const capsInUse = () => [...new Set(set.current().budgets.map(({ dailyCapMicros }) => dailyCapMicros))];

/** A reader beside the calls that answers when it is told to. */
function reader() {
  const asked: (BudgetsToRead & { readonly answer: (read?: BudgetsRead) => Promise<void> })[] = [];
  set.readBeside((request) => {
    const { promise, resolve } = Promise.withResolvers<BudgetsRead>();
    const answer = async (read = budgetsRead(request)) => {
      resolve(read);
      await Bun.sleep(0);
    };
    asked.push({ ...request, answer });
    return promise;
  });
  return asked;
}

test("the old budgets are in use until a long file has been read beside the calls, however often they are asked for", async () => {
  write(text("1"));
  set.current();
  const asked = reader();
  write(text("2"));
  for (let call = 0; call < 5; call++) expect(capsInUse()).toEqual([1_000_000n]);
  expect(asked).toHaveLength(1);
  await asked[0]!.answer();
  expect(capsInUse()).toEqual([2_000_000n]);
  expect(asked).toHaveLength(1);
});

test("a short file is read at once, and so is the very first one", () => {
  const asked = reader();
  write(text("1"));
  expect(capsInUse()).toEqual([1_000_000n]);
  write(text("2", 3));
  expect(capsInUse()).toEqual([2_000_000n]);
  expect(asked).toEqual([]);
});

test("a long file that is broken leaves the last good version in use, and is told with its line", async () => {
  write(text("1"));
  set.current();
  const asked = reader();
  write(text("2").replace("tenant-7,", "Tenant 7,"));
  expect(set.current().problem).toBeUndefined();
  await asked[0]!.answer();
  expect(set.current().problem).toStartWith("budgets.yaml:9:");
  expect(capsInUse()).toEqual([1_000_000n]);
  write(text("3"));
  set.current();
  await asked[1]!.answer();
  expect([set.current().problem, ...capsInUse()]).toEqual([undefined, 3_000_000n]);
});

test("of two changes the later one is in use, whichever is read first", async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    set = new BudgetSet(folder, ["stripe"]);
    write(text("1"));
    set.current();
    const asked = reader();
    write(text("2"));
    set.current();
    write(text("3"));
    set.current();
    for (const index of order) await asked[index]!.answer();
    set.current();
    await asked[2]?.answer();
    expect(capsInUse()).toEqual([3_000_000n]);
  }
});

test("a file that changes while it is read is read again", async () => {
  write(text("1"));
  set.current();
  const asked = reader();
  write(text("2"));
  set.current();
  write(text("3"));
  await asked[0]!.answer();
  expect(capsInUse()).toEqual([1_000_000n]);
  await asked[1]!.answer();
  expect(capsInUse()).toEqual([3_000_000n]);
});

test("a file that is deleted while it is read takes its budgets with it", async () => {
  write(text("1"));
  set.current();
  const asked = reader();
  write(text("2"));
  set.current();
  rmSync(set.path);
  expect(capsInUse()).toEqual([]);
  await asked[0]!.answer();
  expect(capsInUse()).toEqual([]);
});

test("the thread says what a reading here says, and the event loop turns meanwhile", async () => {
  for (const content of [text("5", 2_000), text("5").replace("tenant-7,", "Tenant 7,"), "budgets: [", ""]) {
    const asked = { text: content, vendors: ["stripe"] };
    let turns = 0;
    let reading = true;
    const turn = () => {
      turns += 1;
      if (reading) setTimeout(turn);
    };
    setTimeout(turn);
    const read = await readBeside(asked);
    reading = false;
    expect(read).toEqual(budgetsRead(asked));
    expect(turns).toBeGreaterThan(1);
  }
});

test("each cap has its place, also one in another currency, which decides as the one in dollars", () => {
  const { places } = budgetsRead({
    text: `budgets:
  - name: platform
    daily_cap: { amount: 5, currency: eur }
    daily_send_cap: 3
  - { name: small, daily_usd_cap: 1, total_usd_cap: 2 }
`,
    vendors: [],
  });
  expect(Object.fromEntries(places)).toEqual({
    "budgets.platform.daily_usd_cap": { line: 3, column: 5 },
    "budgets.platform.daily_send_cap": { line: 4, column: 5 },
    "budgets.small.daily_usd_cap": { line: 5, column: 20 },
    "budgets.small.total_usd_cap": { line: 5, column: 38 },
  });
});
