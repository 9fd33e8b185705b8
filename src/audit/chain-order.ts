import { BEFORE_ALL_PLACES, type ChainedRow, type ChainSource } from "./chained-row.ts";

/** Rows read with one verb of the store: a few milliseconds. */
export const ROWS_PER_READ = 256;

/**
 * Rows that wait for one before them, until it is looked for itself. Rows lie in the order in which their calls were
 * decided, and the chain is in the order in which they ended: what waits are the calls that were in flight at one time.
 */
const WAITING_MAX = 16_384;
const STRAYS_MAX = 1_000;

export interface ReadOptions {
  /** Between two reads: lets a server answer calls. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** Gives the rows of the table in the order of the chain, with memory for few of them. */
export class ChainOrder {
  readonly #source: Pick<ChainSource, "chainRows" | "findChainRows">;
  readonly #last: number;
  readonly #pause: ReadOptions["pause"];
  readonly #waiting = new Map<number, ChainedRow>();
  #waitingMax = WAITING_MAX;
  #behind = BEFORE_ALL_PLACES;
  #isRead = false;
  /** Rows at a position that was given out already, that another row has, too, or that none can have. */
  readonly strays: ChainedRow[] = [];
  /** The row that claims the highest position beyond the last. */
  beyond: ChainedRow | undefined;

  /** @param last position that is asked for. */
  constructor(source: Pick<ChainSource, "chainRows" | "findChainRows">, last: number, { pause }: ReadOptions = {}) {
    this.#source = source;
    this.#last = last;
    this.#pause = pause;
  }

  /** The row at `position`, undefined where there is none. Positions are asked for in growing order. */
  async take(position: number): Promise<ChainedRow | undefined> {
    for (;;) {
      const row = this.#waiting.get(position);
      if (row) {
        this.#waiting.delete(position);
        return row;
      }
      if (this.#isRead) return undefined;
      if (this.#waiting.size > this.#waitingMax) {
        if ((await this.#source.findChainRows({ chainSeq: position })).length === 0) return undefined;
        this.#waitingMax *= 2;
      }
      await this.#read(position);
    }
  }

  /** The lowest position behind `position` that a row has which is known already. */
  nextAfter(position: number): number | undefined {
    let next: number | undefined;
    for (const each of this.#waiting.keys()) if (each > position && (next === undefined || each < next)) next = each;
    return next;
  }

  /** Reads what is left, for rows that no position was asked for. */
  async finish(): Promise<void> {
    while (!this.#isRead) await this.#read(this.#last + 1);
  }

  async #read(position: number): Promise<void> {
    const rows = await this.#source.chainRows(this.#behind, ROWS_PER_READ);
    for (const row of rows) this.#sort(row, position);
    this.#behind = rows.at(-1)?.place ?? this.#behind;
    this.#isRead = rows.length < ROWS_PER_READ;
    await this.#pause?.();
  }

  #sort(row: ChainedRow, position: number): void {
    if (row.chainSeq > this.#last) {
      if (this.beyond === undefined || row.chainSeq > this.beyond.chainSeq) this.beyond = row;
    } else if (row.chainSeq >= position && !this.#waiting.has(row.chainSeq)) {
      this.#waiting.set(row.chainSeq, row);
    } else if (this.strays.length < STRAYS_MAX) this.strays.push(row);
  }
}
