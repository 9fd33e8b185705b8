import type { Database } from "bun:sqlite";
import type { ChainedRow } from "../../audit/chained-row.ts";
import type { AuditSegment } from "../../audit/segment.ts";
import type { EpochMs } from "../../core/window.ts";
import { grownSegment, isOurs, type SegmentRow, segmentOf, segmentValues } from "../segment-rows.ts";
import type { SpendSumsWriter } from "./spend-sums.ts";

/** What stands for rows that retention has removed. */
export class AuditSegments {
  readonly #database: Database;
  readonly #chainKey: () => Uint8Array;

  readonly #spend: Pick<SpendSumsWriter, "keep">;

  constructor(database: Database, chainKey: () => Uint8Array, spend: Pick<SpendSumsWriter, "keep">) {
    this.#database = database;
    this.#spend = spend;
    this.#chainKey = chainKey;
  }

  all(): readonly AuditSegment[] {
    return (this.#database.query("SELECT * FROM audit_segments ORDER BY first_chain_seq").all() as SegmentRow[]).map(
      segmentOf,
    );
  }

  /**
   * Removes rows and lets a segment stand for them, in one transaction: the one that ends before the first of them and
   * has room, else a new one.
   * @param rows that follow one another in the chain.
   * @returns false where they are no longer as they were read: another process prunes, or changed them.
   */
  prune(rows: readonly ChainedRow[], rowsPerSegmentMax: number, at: EpochMs): boolean {
    const remove = this.#database.query<unknown, [bigint, Uint8Array]>(
      "DELETE FROM audit_rows WHERE seq = ? AND hash = ?",
    );
    this.#database.run("BEGIN IMMEDIATE");
    try {
      this.#spend.keep(rows.map(({ place }) => place));
      const removed = rows.every(({ place, hash }) => remove.run(place, hash).changes === 1);
      if (removed) this.#write(this.#grown(rows, rowsPerSegmentMax, at));
      this.#database.run(removed ? "COMMIT" : "ROLLBACK");
      return removed;
    } catch (cause) {
      if (this.#database.inTransaction) this.#database.run("ROLLBACK");
      throw cause;
    }
  }

  #grown(rows: readonly ChainedRow[], rowsMax: number, prunedAt: EpochMs): Omit<AuditSegment, "seal"> {
    return grownSegment(this.#endingAt(rows[0]!.chainSeq - 1), rows, { rowsMax, prunedAt, now: this.#ledgerNow() });
  }

  /** What has aged on a rolling budget has aged by this clock, which never runs backwards. */
  #ledgerNow(): EpochMs {
    return Number(this.#database.query<{ now: bigint }, []>("SELECT now FROM ledger_state").get()!.now);
  }

  #endingAt(chainSeq: number): AuditSegment | undefined {
    const row = this.#database
      .query<SegmentRow, [number]>("SELECT * FROM audit_segments WHERE last_chain_seq = ?")
      .get(chainSeq);
    const segment = row ? segmentOf(row) : undefined;
    return segment && isOurs(this.#chainKey(), segment) ? segment : undefined;
  }

  #write(segment: Omit<AuditSegment, "seal">): void {
    this.#database
      .query<unknown, (number | string | Uint8Array)[]>(
        `INSERT INTO audit_segments (first_chain_seq, last_chain_seq, prev_hash, hash, cost, first_at, last_at, pruned_at, sums, seal)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET last_chain_seq = excluded.last_chain_seq, hash = excluded.hash, cost = excluded.cost,
           last_at = excluded.last_at, pruned_at = excluded.pruned_at, sums = excluded.sums, seal = excluded.seal`,
      )
      .run(...segmentValues(this.#chainKey(), segment));
  }
}
