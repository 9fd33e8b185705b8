import type { EpochMs } from "../../core/window.ts";
import { type OpenCall, readOpenCalls, writeOpenCalls } from "./open-call.ts";
import type { OpenBatchStatements } from "./statements.ts";

/** What a transaction has done to the calls in flight. */
export interface Flights {
  /** Holds taken in it that have not ended in it, by call. */
  readonly opened: ReadonlyMap<string, OpenCall>;
  /** How many calls of an earlier batch have got their final row in it. */
  readonly ended: Map<number, number>;
}

/**
 * The calls in flight on disk, a row per batch of holds. A batch is written once, with its holds, and deleted with the
 * last end among them; how many are still to end is remembered by the process that wrote it and counted by any other.
 */
export class OpenBatches {
  readonly #statements: OpenBatchStatements;
  /** Of batches that this process has committed: calls that have not ended. */
  readonly #remaining = new Map<number, number>();

  constructor(statements: OpenBatchStatements) {
    this.#statements = statements;
  }

  /** The call with this id, where it is still to end. */
  find(callId: string): OpenCall | undefined {
    const row = this.#statements.find.get(callId);
    return row ? readOpenCalls(row).find(({ facts }) => facts.id === callId) : undefined;
  }

  /** Writes the holds that have not ended, a row for each owner, and deletes the batches whose last call has. */
  save({ opened, ended }: Flights): void {
    for (const [batch, ofOne] of Map.groupBy(opened.values(), (call) => call.batch)) {
      this.#statements.insert.run(batch, ofOne[0]!.owner, writeOpenCalls(ofOne));
    }
    for (const [batch, count] of ended) {
      const known = this.#remaining.get(batch);
      const left = known === undefined ? Number(this.#statements.countOpen.get(batch)!.open) : known - count;
      if (left === 0) this.#statements.delete.run(batch);
    }
  }

  /** The transaction is on disk. */
  committed({ opened, ended }: Flights): void {
    for (const [batch, count] of ended) {
      const left = (this.#remaining.get(batch) ?? 0) - count;
      if (left > 0) this.#remaining.set(batch, left);
      else this.#remaining.delete(batch);
    }
    for (const { batch } of opened.values()) this.#remaining.set(batch, (this.#remaining.get(batch) ?? 0) + 1);
  }

  /** The transaction was rolled back, or nobody knows: what is remembered of its batches is no longer relied on. */
  failed({ ended }: Flights): void {
    for (const batch of ended.keys()) this.#remaining.delete(batch);
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
}
