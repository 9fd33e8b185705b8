import { Database } from "bun:sqlite";
import { idFloor } from "../../core/id.ts";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import { CLOCK_SPREAD_MS } from "../audit-search.ts";
import { heldFilter } from "../held-calls.ts";
import { readOpenCalls } from "../ledger/open-call.ts";
import type { BatchRow } from "../ledger/statements.ts";
import type { SpendQuery, SpendReport } from "../spend.ts";
import { DAY_MS, type GroupRow, HOUR_MS, SpendGroups } from "../spend-groups.ts";
import {
  filterParameters,
  laterRowsStatement,
  type Parameters,
  rowsStatement,
  sumsStatement,
} from "./spend-statements.ts";

/** Read in one go: some milliseconds. */
const ROWS_PER_SLICE = 4_000;
const SUMS_PER_SLICE = 2_000;
const SEQ_MAX = Number.MAX_SAFE_INTEGER;
/** Later than any call, and not too late for a date. */
const END_OF_TIME: EpochMs = 8_640_000_000_000_000;

/** Whole slots of one width. */
interface SlotRange {
  readonly slotMs: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/**
 * Answers questions about what was spent, each on a handle of its own that sees the store as it is at one moment, however
 * long the answer takes: sums for whole days and hours, rows for what is left at both ends, rows that are not added up yet,
 * calls in flight. One question at a time, in slices, so that calls are answered meanwhile.
 */
export class SpendReader {
  readonly #path: string;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  sum(query: SpendQuery, onRows?: (done: number) => void): Promise<SpendReport> {
    const answer = this.#queue.then(() => this.#answer(query, onRows));
    this.#queue = answer.catch(() => {});
    return answer;
  }

  /** Ends the question that is being answered: the file must not be pinned when its store closes. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue;
  }

  async #answer(query: SpendQuery, onRows?: (done: number) => void): Promise<SpendReport> {
    this.#goOn();
    const database = new Database(this.#path, { readonly: true, strict: true, safeIntegers: true });
    try {
      database.run("BEGIN");
      return await new Answer(database, query, () => this.#pause(), onRows).read();
    } finally {
      database.close();
    }
  }

  async #pause(): Promise<void> {
    await new Promise<void>((done) => setImmediate(done));
    this.#goOn();
  }

  #goOn(): void {
    if (this.#closed)
      throw new Problem("unavailable", "the store is being closed", "ask again when the server is back");
  }
}

/** One question, in one read transaction. */
class Answer {
  readonly #database: Database;
  readonly #query: SpendQuery;
  readonly #pause: () => Promise<void>;
  readonly #onRows: ((done: number) => void) | undefined;
  readonly #parameters: Parameters;
  readonly #groups = new SpendGroups();
  #rows = 0;

  constructor(
    database: Database,
    query: SpendQuery,
    pause: () => Promise<void>,
    onRows: ((done: number) => void) | undefined,
  ) {
    this.#database = database;
    this.#query = query;
    this.#pause = pause;
    this.#onRows = onRows;
    this.#parameters = filterParameters(query);
  }

  async read(): Promise<SpendReport> {
    const { next_seq, pruned_to } = this.#database
      .query<{ next_seq: bigint; pruned_to: bigint }, []>("SELECT next_seq, pruned_to FROM spend_state WHERE id = 1")
      .get()!;
    const { since, until } = this.#query.filter;
    const prunedTo = Number(pruned_to);
    const from = since !== undefined && since < prunedTo ? floor(since, HOUR_MS) : (since ?? 0);
    const to = until !== undefined && until < prunedTo ? ceil(until, HOUR_MS) : (until ?? END_OF_TIME);
    if (from < to) await this.#readAll(from, to, Number(next_seq));
    return {
      groups: this.#groups.all(),
      since: since === undefined ? undefined : from,
      until: until === undefined ? undefined : to,
    };
  }

  async #readAll(from: EpochMs, to: EpochMs, next: number): Promise<void> {
    const wholeFrom = ceil(from, HOUR_MS);
    const wholeTo = floor(to, HOUR_MS);
    if (wholeFrom > wholeTo) await this.#readEdge(from, to, next);
    else {
      if (from < wholeFrom) await this.#readEdge(from, wholeFrom, next);
      if (wholeTo < to) await this.#readEdge(wholeTo, to, next);
      for (const range of slotRanges(this.#query, wholeFrom, wholeTo)) await this.#readSums(range);
    }
    await this.#readRows({ first: next, last: SEQ_MAX, from, to });
    this.#readHeld(from, to);
  }

  async #readSums({ slotMs, from, to }: SlotRange): Promise<void> {
    const nextSlot = this.#database.query<{ slot: bigint | null }, [number, number, number]>(
      "SELECT min(slot) AS slot FROM spend_sums WHERE slot_ms = ? AND slot >= ? AND slot < ?",
    );
    for (let at = from; ; ) {
      const slot = nextSlot.get(slotMs, at, to)!.slot;
      if (slot === null) return;
      await this.#readSlot(slotMs, Number(slot));
      at = Number(slot) + slotMs;
    }
  }

  /** A day of many runs is more than is read in one go. */
  async #readSlot(slotMs: number, slot: EpochMs): Promise<void> {
    const sums = this.#database.query<GroupRow, [Parameters]>(sumsStatement(this.#query));
    const end = this.#database.query<{ subject: bigint }, [number, number, number, number]>(
      "SELECT subject FROM spend_sums WHERE slot_ms = ? AND slot = ? AND subject > ? ORDER BY subject LIMIT 1 OFFSET ?",
    );
    for (let first = 0; first < SEQ_MAX; ) {
      const behind = Number(end.get(slotMs, slot, first, SUMS_PER_SLICE)?.subject ?? SEQ_MAX);
      for (const group of sums.all({ ...this.#parameters, slotMs, slot, first, behind })) this.#groups.add(group);
      first = behind;
      await this.#pause();
    }
  }

  /** Rows that are in the sums already, of a part of an hour. */
  async #readEdge(from: EpochMs, to: EpochMs, next: number): Promise<void> {
    const first = this.#seqAt(from - CLOCK_SPREAD_MS);
    if (first === undefined) return;
    const last = Math.min(this.#seqAt(to + CLOCK_SPREAD_MS) ?? SEQ_MAX, next - 1);
    const later = this.#database.query<GroupRow, [Parameters]>(laterRowsStatement(this.#query));
    await this.#readRows({ first, last, from, to }, (slice) => {
      for (const group of later.all({ ...slice, behind: last, next })) this.#groups.add(group);
    });
  }

  async #readRows(
    { first, last, from, to }: { first: number; last: number; from: EpochMs; to: EpochMs },
    besides?: (slice: Parameters) => void,
  ): Promise<void> {
    const rows = this.#database.query<GroupRow, [Parameters]>(rowsStatement(this.#query));
    const end = this.#database.query<{ seq: bigint }, [number, number]>(
      `SELECT seq FROM audit_rows WHERE seq >= ? ORDER BY seq LIMIT 1 OFFSET ?`,
    );
    for (let at = first; at <= last; ) {
      const next = Number(end.get(at, ROWS_PER_SLICE)?.seq ?? SEQ_MAX);
      const slice = { ...this.#parameters, first: at, last: Math.min(last, next - 1), from, to };
      for (const group of rows.all(slice)) this.#groups.add(group);
      besides?.(slice);
      this.#rows += ROWS_PER_SLICE;
      at = next;
      if (next === SEQ_MAX) return;
      this.#onRows?.(this.#rows);
      await this.#pause();
    }
  }

  #readHeld(from: EpochMs, to: EpochMs): void {
    const { issuedBy, ...filter } = this.#query.filter;
    const selects = heldFilter({ ...filter, since: from, until: to });
    if (!selects) return;
    const isFinal = this.#database.query<unknown, [string]>("SELECT 1 FROM audit_rows WHERE id = ?");
    const isOwn = this.#database.query<unknown, [string, string]>(
      "SELECT 1 FROM vault_keys WHERE id = ? AND issued_by = ?",
    );
    for (const batch of this.#database.query<BatchRow, []>("SELECT batch, owner, calls FROM open_batches").all()) {
      for (const call of readOpenCalls(batch)) {
        if (!selects(call) || isFinal.get(call.facts.id)) continue;
        if (issuedBy !== undefined && !isOwn.get(call.facts.vaultKeyId, issuedBy)) continue;
        this.#groups.addHeld(this.#query, call.facts, call.exposureMicros);
      }
    }
  }

  /** The first row of about that time; undefined where all are earlier. */
  #seqAt(time: EpochMs): number | undefined {
    const row = this.#database
      .query<{ seq: bigint }, [string]>("SELECT seq FROM audit_rows WHERE id >= ? ORDER BY id LIMIT 1")
      .get(idFloor("call", time));
    return row ? Number(row.seq) : undefined;
  }
}

/** Days where a day is whole, hours before and after them; hours alone where hours are asked for. */
function slotRanges({ by }: SpendQuery, from: EpochMs, to: EpochMs): readonly SlotRange[] {
  const daysFrom = ceil(from, DAY_MS);
  const daysTo = floor(to, DAY_MS);
  if (by === "hour" || daysFrom >= daysTo) return [{ slotMs: HOUR_MS, from, to }];
  return [
    { slotMs: HOUR_MS, from, to: daysFrom },
    { slotMs: DAY_MS, from: daysFrom, to: daysTo },
    { slotMs: HOUR_MS, from: daysTo, to },
  ];
}

function floor(at: EpochMs, slotMs: number): EpochMs {
  return at - (at % slotMs);
}

function ceil(at: EpochMs, slotMs: number): EpochMs {
  return at % slotMs === 0 ? at : floor(at, slotMs) + slotMs;
}
