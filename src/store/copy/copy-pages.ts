import { readFrozen } from "../frozen-mark.ts";
import { type CopyEnd, type CopyKey, type CopyRow, type CopyTable, keyOf } from "./copy-end.ts";

export interface CopyProgress {
  readonly step: "copied" | "compared" | "verified";
  readonly done: number;
  readonly of: number;
}

/** The largest table, and the only one whose rows never change: it is gone on with, and all others are copied anew. */
export const GROWING_TABLE = "audit_rows";

/** Why the source spends no more; a copy of it does not carry this along. */
export const MOVED = "moved to ";

/** Recorded answers are up to some megabytes each, and what stands for pruned rows is long, too. */
const PAGE_ROWS: Readonly<Record<string, number>> = {
  [GROWING_TABLE]: 1_000,
  rolling_entries: 1_000,
  spend_sums: 1_000,
  recorded_calls: 10,
  remembered_answers: 10,
};
const PAGE_ROWS_ELSE = 100;

/** All rows of a table behind `after`, page by page. */
export async function* pages(
  end: CopyEnd,
  table: CopyTable,
  after: CopyKey | undefined,
): AsyncGenerator<readonly CopyRow[]> {
  const limit = PAGE_ROWS[table.name] ?? PAGE_ROWS_ELSE;
  for (let behind = after; ; ) {
    const page = await end.page(table, behind, limit);
    if (page.length > 0) yield page.map((row) => normal(table, row));
    if (page.length < limit) return;
    behind = keyOf(table, page.at(-1)!);
  }
}

/** The row without what an earlier end of a copy has written into the source. */
function normal(table: CopyTable, row: CopyRow): CopyRow {
  if (table.name !== "ledger_state") return row;
  return row.map((value, place) => {
    const isMoved =
      table.columns[place]!.name === "frozen" && value !== null && readFrozen(value).why.startsWith(MOVED);
    return isMoved ? null : value;
  });
}

/** Tells of each page how far a step is. */
export class StepCounter {
  #done = 0;
  readonly #of: number;
  readonly #step: CopyProgress["step"];
  readonly #onProgress: (progress: CopyProgress) => void;

  constructor(of: number, step: CopyProgress["step"], onProgress: (progress: CopyProgress) => void) {
    this.#of = of;
    this.#step = step;
    this.#onProgress = onProgress;
  }

  add(rows: number): void {
    this.#done += rows;
    this.#onProgress({ step: this.#step, done: this.#done, of: this.#of });
  }
}
