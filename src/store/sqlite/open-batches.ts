import type { Database } from "bun:sqlite";
import type { EpochMs } from "../../core/window.ts";
import { type BatchRow, type OpenCall, readOpenCalls, writeOpenCalls } from "./open-call.ts";

/**
 * The calls in flight on disk, a row per batch of holds. A batch is written once, with its holds, and deleted with the
 * last end among them; how many are still to end is remembered by the process that wrote it and counted by any other.
 */
export class OpenBatches {
  readonly #statements: ReturnType<typeof prepare>;
  /** Of batches that this process has committed: calls that have not ended. */
  readonly #remaining = new Map<number, number>();
  /** Of the transaction under way. */
  #written: readonly OpenCall[] = [];
  readonly #ended = new Map<number, number>();

  constructor(database: Database) {
    this.#statements = prepare(database);
  }

  /** Writes the holds of the transaction under way that have not ended within it: a row for each owner. */
  write(calls: readonly OpenCall[]): void {
    for (const [batch, ofOne] of Map.groupBy(calls, (call) => call.batch)) {
      this.#statements.insert.run(batch, ofOne[0]!.owner, writeOpenCalls(ofOne));
    }
    this.#written = calls;
  }

  /** The call with this id, where it is still to end. */
  find(callId: string): OpenCall | undefined {
    const row = this.#statements.find.get(callId);
    return row ? readOpenCalls(row).find(({ facts }) => facts.id === callId) : undefined;
  }

  /** A call of this batch has got its final row. */
  ended(batch: number): void {
    this.#ended.set(batch, (this.#ended.get(batch) ?? 0) + 1);
  }

  /** Deletes the batches whose last call has ended in the transaction under way. */
  deleteEnded(): void {
    for (const [batch, count] of this.#ended) {
      const known = this.#remaining.get(batch);
      const left = known === undefined ? Number(this.#statements.countOpen.get(batch)!.open) : known - count;
      if (left === 0) this.#statements.delete.run(batch);
    }
  }

  /** The transaction is on disk. */
  committed(): void {
    for (const [batch, count] of this.#ended) {
      const left = (this.#remaining.get(batch) ?? 0) - count;
      if (left > 0) this.#remaining.set(batch, left);
      else this.#remaining.delete(batch);
    }
    for (const { batch } of this.#written) this.#remaining.set(batch, (this.#remaining.get(batch) ?? 0) + 1);
    this.#forget();
  }

  /** The transaction was rolled back, or nobody knows: what is remembered of its batches is no longer relied on. */
  failed(): void {
    for (const batch of this.#ended.keys()) this.#remaining.delete(batch);
    this.#forget();
  }

  /** Whether there are calls of owners without a living lease, or batches without a call that is still to end. */
  needsSweep(now: EpochMs): boolean {
    return this.#statements.abandoned.get(now) !== null || this.#statements.emptied.get() !== null;
  }

  /** The calls of owners without a living lease; their batches are deleted. */
  takeAbandoned(now: EpochMs): readonly OpenCall[] {
    // Of a batch whose calls another process has ended its own one keeps waiting for them.
    for (const { batch } of this.#statements.emptied.all()) this.#statements.delete.run(Number(batch));
    const rows = this.#statements.abandoned.all(now);
    for (const { batch } of rows) this.#statements.delete.run(Number(batch));
    return rows.flatMap(readOpenCalls);
  }

  #forget(): void {
    this.#ended.clear();
    this.#written = [];
  }
}

function prepare(database: Database) {
  return {
    insert: database.query<unknown, [number, string, string]>(
      "INSERT INTO open_batches (batch, owner, calls) VALUES (?, ?, ?)",
    ),
    // An id is in the list's text or it is not: ids are unguessable and have no character that JSON escapes.
    find: database.query<BatchRow, [string]>(
      `SELECT batch, owner, calls FROM open_batches
       WHERE instr(calls, ?1) > 0 AND NOT EXISTS (SELECT 1 FROM audit_rows WHERE id = ?1)`,
    ),
    countOpen: database.query<{ open: bigint }, [number]>(
      "SELECT count(*) AS open FROM calls_in_flight WHERE batch = ?",
    ),
    emptied: database.query<{ batch: bigint }, []>(
      "SELECT batch FROM open_batches WHERE batch NOT IN (SELECT batch FROM calls_in_flight)",
    ),
    delete: database.query<unknown, [number]>("DELETE FROM open_batches WHERE batch = ?"),
    abandoned: database.query<BatchRow, [number]>(
      "SELECT batch, owner, calls FROM open_batches WHERE owner NOT IN (SELECT owner FROM leases WHERE until > ?) ORDER BY batch",
    ),
  };
}
