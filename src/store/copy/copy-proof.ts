import { isDeepStrictEqual } from "node:util";
import { verifyChain } from "../../audit/verify.ts";
import type { Micros } from "../../core/money.ts";
import { Problem } from "../../core/problem.ts";
import type { SpendReport } from "../spend.ts";
import type { CopyEnd, CopyRow, CopyTable } from "./copy-end.ts";
import { keyOf } from "./copy-end.ts";
import { type CopyProgress, pages, StepCounter } from "./copy-pages.ts";

/** What the copy was found to have in common with its source. */
export interface CopyProof {
  readonly tables: number;
  /** Of all tables. */
  readonly rows: number;
  readonly chain: {
    /** Positions, those of pruned rows among them. */
    readonly count: number;
    readonly head: Uint8Array;
    readonly costMicros: Micros;
  };
}

interface Compared {
  readonly source: CopyEnd;
  readonly target: CopyEnd;
  readonly tables: readonly CopyTable[];
  /** Undefined where the installation has never been used. */
  readonly key: Uint8Array | undefined;
  readonly total: number;
  readonly onProgress: (progress: CopyProgress) => void;
}

/**
 * Every row of every table beside its copy, the target's chain by its key, its counters by its rows, and what was spent by
 * hour and vendor, as each of the two reckons it.
 * @throws Problem where anything differs.
 */
export async function prove(compared: Compared): Promise<CopyProof> {
  const { source, target, tables, total, onProgress } = compared;
  const progress = new StepCounter(total, "compared", onProgress);
  for (const table of tables) await compareRows(compared, table, progress);
  const chain = await proveChain(compared);
  const [wrong] = await target.counterMismatches();
  if (wrong) throw differs(`the counter of ${wrong.budgetId} is ${wrong.counter}, and its calls give ${wrong.rows}`);
  const [before, after] = [groupsOf(await source.spendByHour()), groupsOf(await target.spendByHour())];
  if (!isDeepStrictEqual(before, after)) throw differs("the spending by hour and vendor is not the same");
  return { tables: tables.length, rows: total, chain };
}

async function compareRows({ source, target }: Compared, table: CopyTable, progress: StepCounter): Promise<void> {
  const copies = pages(target, table, undefined);
  for await (const page of pages(source, table, undefined)) {
    // Both are cut at the same places, as long as they are the same.
    const { value: copy = [] } = await copies.next();
    for (const [place, row] of page.entries()) compareRow(table, row, copy[place]);
    if (copy.length > page.length) throw differs(`${table.name} has more rows than in the source`);
    progress.add(page.length);
  }
  const rest = await copies.next();
  if (!rest.done) throw differs(`${table.name} has more rows than in the source`);
}

function compareRow(table: CopyTable, row: CopyRow, copy: CopyRow | undefined): void {
  const key = keyOf(table, row).join(", ");
  if (copy === undefined) throw differs(`the row ${key} of ${table.name} is missing`);
  const place = row.findIndex((value, at) => value !== copy[at]);
  if (place >= 0) throw differs(`${table.columns[place]!.name} of the row ${key} of ${table.name} is another`);
}

async function proveChain({ target, key, onProgress }: Compared): Promise<CopyProof["chain"]> {
  const chain = target.chain();
  const { count, hash, costMicros } = await chain.chainState();
  if (key === undefined) {
    if (count > 0) throw differs("there are audit rows, and no key of their chain");
    return { count, head: hash, costMicros };
  }
  const verdict = await verifyChain(chain, key, {
    onProgress: (done, of) => onProgress({ step: "verified", done, of }),
  });
  if (verdict.finding) throw differs(verdict.finding.message);
  return { count, head: verdict.head.hash, costMicros: verdict.head.costMicros };
}

/** In an order that does not depend on the store. */
function groupsOf({ groups }: SpendReport): unknown {
  return new Map(groups.map(({ value, vendor, ...sums }) => [JSON.stringify([value, vendor]), sums]));
}

function differs(what: string): Problem {
  return new Problem(
    "conflict",
    `the copy is not the same as its source: ${what}`,
    "the target stays closed and keys go on in the source; run `keybrake doctor` there, then the copy again, which begins anew",
  );
}
