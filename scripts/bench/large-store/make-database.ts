/**
 * `bun scripts/bench/large-store/make-database.ts --data DIR --rows N --keys N [--runs 100,10000]`: fills the database of
 * a new data directory with 30 days of calls, chained and counted as the ledger does it, so that `keybrake doctor` and a
 * check of the chain find nothing wrong. Runs `bench/run-of-100` and so on have so many calls, spread over a day.
 */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ChainHead } from "../../../src/audit/chained-row.ts";
import { readConfig } from "../../../src/config.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { timeOrderedId } from "../../../src/core/id.ts";
import type { EpochMs } from "../../../src/core/window.ts";
import { openInstallation } from "../../../src/operate/installation.ts";
import { chargeLeft } from "../../../src/store/ledger/charges.ts";
import { FinalRows } from "../../../src/store/ledger/final-rows.ts";
import { LedgerStates } from "../../../src/store/ledger/ledger-state.ts";
import { prepareFinalRows, prepareState } from "../../../src/store/sqlite/ledger-statements.ts";
import { SpendSumsWriter } from "../../../src/store/sqlite/spend-sums.ts";
import { randomFrom } from "../../random.ts";
import { finalRow, type Run } from "./call-history.ts";
import { KeySchedule } from "./key-schedule.ts";

const DAY_MS = 86_400_000;
const SPAN_MS = 30 * DAY_MS;
/** Index pages are written once a transaction, however many of its rows they got. */
const ROWS_PER_TRANSACTION = 1_000_000;
const ROWS_PER_REPORT = 250_000;
/** The looked-up runs have their calls on a day three weeks in. */
const RUNS_BEGIN_MS = 20 * DAY_MS;
const SEED = 7;

interface Plan {
  readonly data: string;
  readonly rows: number;
  readonly keys: number;
  readonly runs: readonly number[];
}

await main(readPlan());

function readPlan(): Plan {
  const { values } = parseArgs({
    options: {
      data: { type: "string" },
      rows: { type: "string", default: "10000000" },
      keys: { type: "string", default: "100000" },
      runs: { type: "string", default: "100,10000" },
    },
  });
  if (values.data === undefined) throw new Error("--data DIR is missing");
  const runs = values.runs.split(",").map(Number);
  return { data: values.data, rows: Number(values.rows), keys: Number(values.keys), runs };
}

async function main(plan: Plan): Promise<void> {
  // Makes schema and keys as any first start does.
  const config = readConfig({ data: plan.data }, { HOME: plan.data });
  const { store, chainKey, dataDir } = await openInstallation(config, systemClock);
  await store.close();
  const database = new Database(join(dataDir, "keybrake.db"), { readwrite: true, strict: true, safeIntegers: true });
  // Half a database is thrown away, so nothing has to be durable before the end.
  for (const pragma of ["synchronous = OFF", "cache_size = -2000000"]) database.run(`PRAGMA ${pragma}`);
  fill(database, chainKey, plan);
  addUp(database);
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}

function fill(database: Database, chainKey: Uint8Array, plan: Plan): void {
  const random = randomFrom(SEED);
  const endMs = systemClock.now();
  const startMs = endMs - SPAN_MS;
  const rows = new FinalRows(prepareFinalRows(database), () => chainKey);
  const states = new LedgerStates(prepareState(database));
  const schedule = new KeySchedule(database, random, { startMs, endMs }, plan.keys);
  const lookedUp = new LookedUpRuns(schedule, plan);
  const counters = new Map<string, Map<EpochMs, bigint>>();
  const beganMs = systemClock.elapsed();
  let chain: ChainHead = states.read(0).chain;
  database.run("BEGIN");
  for (let seq = 1; seq <= plan.rows; seq++) {
    const calledAt = Math.floor(startMs + ((seq - 1) / plan.rows) * SPAN_MS);
    const run = lookedUp.take(seq, calledAt) ?? schedule.runAt(calledAt);
    const row = finalRow(run, { id: timeOrderedId("call", calledAt), seq, calledAt }, random);
    chain = rows.add(chain, row)!;
    for (const charge of row.charges ?? [])
      count(counters, charge.budgetId, charge.windowStart, chargeLeft(row, charge));
    if (seq % ROWS_PER_TRANSACTION === 0) {
      database.run("COMMIT");
      database.run("BEGIN");
    }
    if (seq % ROWS_PER_REPORT === 0) {
      const perSecond = Math.round(seq / ((systemClock.elapsed() - beganMs) / 1_000)).toLocaleString("en-US");
      console.error(
        `  ${seq.toLocaleString("en-US")} of ${plan.rows.toLocaleString("en-US")} rows, ${perSecond} a second`,
      );
    }
  }
  writeCounters(database, counters);
  states.write({ now: endMs, lastSeq: plan.rows, chain, frozen: null });
  database.run("COMMIT");
}

/** As a server does it beside calls. */
function addUp(database: Database): void {
  const sums = new SpendSumsWriter(database);
  const beganMs = systemClock.elapsed();
  while (sums.addUp(ROWS_PER_REPORT).left > 0);
  console.error(`  added up in ${Math.round((systemClock.elapsed() - beganMs) / 1_000)} s`);
}

/** The calls of the runs that are looked up, at even distances within one day. */
class LookedUpRuns {
  readonly #schedule: KeySchedule;
  readonly #runs: readonly { readonly calls: number; readonly step: number; run: Run | undefined; done: number }[];
  readonly #first: number;

  constructor(schedule: KeySchedule, { rows, runs }: Plan) {
    this.#schedule = schedule;
    this.#first = Math.floor((rows * RUNS_BEGIN_MS) / SPAN_MS);
    const perDay = Math.floor(rows / 30);
    const all = runs.reduce((sum, calls) => sum + calls, 0);
    if (all > perDay) throw new Error(`${rows} rows have no room for ${all} calls of single runs in one day of 30`);
    // Distances that differ by one would meet; each run begins at another place and yields where two do.
    this.#runs = runs.map((calls) => ({ calls, step: Math.floor(perDay / calls), run: undefined, done: 0 }));
  }

  take(seq: number, now: EpochMs): Run | undefined {
    for (const each of this.#runs) {
      if (each.done === each.calls || seq < this.#first + each.done * each.step) continue;
      each.run ??= this.#schedule.issueRun(`bench/run-of-${each.calls}`, now);
      each.done += 1;
      return each.run;
    }
    return undefined;
  }
}

function count(counters: Map<string, Map<EpochMs, bigint>>, budgetId: string, start: EpochMs, amount: bigint): void {
  if (amount === 0n) return;
  let windows = counters.get(budgetId);
  if (!windows) {
    windows = new Map();
    counters.set(budgetId, windows);
  }
  windows.set(start, (windows.get(start) ?? 0n) + amount);
}

function writeCounters(database: Database, counters: Map<string, Map<EpochMs, bigint>>): void {
  const insert = database.query<unknown, [string, number, bigint]>(
    "INSERT INTO counters (budget_id, window_start, used) VALUES (?, ?, ?)",
  );
  for (const [budgetId, windows] of counters) for (const [start, used] of windows) insert.run(budgetId, start, used);
}
