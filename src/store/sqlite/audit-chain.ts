import type { Database } from "bun:sqlite";
import type { ChainedRow, ChainState, RowSearch } from "../../audit/chained-row.ts";
import type { AuditSegment } from "../../audit/segment.ts";
import { chainedRow, type Read } from "../chained-rows.ts";
import { FINAL_COLUMNS } from "../ledger/final-rows.ts";
import type { AuditSegments } from "./audit-segments.ts";

const COLUMNS = FINAL_COLUMNS.join(", ");

/** Reads the audit table as the chain: rows with what their hashes cover, the head, the segments. */
export class SqliteAuditChain {
  readonly #database: Database;
  readonly #segments: AuditSegments;
  readonly #page;
  readonly #bySeq;
  readonly #isResolved;

  constructor(database: Database, segments: AuditSegments) {
    this.#database = database;
    this.#segments = segments;
    this.#page = database.query<unknown, [bigint, number]>(
      `SELECT ${COLUMNS} FROM audit_rows WHERE seq > ? ORDER BY seq LIMIT ?`,
    );
    this.#bySeq = database.query<unknown, [number]>(`SELECT ${COLUMNS} FROM audit_rows WHERE seq = ?`);
    this.#isResolved = database.query<{ seq: bigint }, [string]>("SELECT seq FROM audit_rows WHERE refers_to = ?");
  }

  state(): ChainState {
    const row = this.#database
      .query(
        `SELECT now, chain_count, chain_hash, chain_cost, frozen, (SELECT min(batch) FROM open_batches) AS open_from
         FROM ledger_state WHERE id = 1`,
      )
      .get() as {
      now: bigint;
      chain_count: bigint;
      chain_hash: Uint8Array;
      chain_cost: string;
      frozen: string | null;
      open_from: bigint | null;
    };
    return {
      count: Number(row.chain_count),
      hash: row.chain_hash,
      costMicros: BigInt(row.chain_cost),
      at: Number(row.now),
      frozen: row.frozen,
      openFrom: row.open_from ?? undefined,
    };
  }

  rows(place: bigint, limit: number): readonly ChainedRow[] {
    return (this.#page.values(place, limit) as Read[][]).map(chainedRow);
  }

  /** The rows with these `seq`, in the same order; one that is not there is left out. */
  rowsAt(seqs: readonly number[]): readonly ChainedRow[] {
    return seqs.flatMap((seq) => (this.#bySeq.values(seq) as Read[][]).map(chainedRow));
  }

  /** Reads every row: no index leads to a position or a hash, because every call would pay for one. */
  find(search: RowSearch): readonly ChainedRow[] {
    const [column, wanted] =
      "chainSeq" in search
        ? (["chain_seq", search.chainSeq] as const)
        : "prevHash" in search
          ? (["prev_hash", search.prevHash] as const)
          : (["hash", search.hash] as const);
    const query = this.#database.query<unknown, [number | Uint8Array]>(
      `SELECT ${COLUMNS} FROM audit_rows WHERE ${column} = ? ORDER BY seq LIMIT 10`,
    );
    return (query.values(wanted) as Read[][]).map(chainedRow);
  }

  /** The hash of the row at a position that was reached lately: from the newest row back, for at most so many rows. */
  recentHash(chainSeq: number, rowsMax: number): Uint8Array | undefined {
    const row = this.#database
      .query<{ hash: Uint8Array }, [number, number]>(
        `SELECT hash FROM audit_rows
         WHERE chain_seq = ?1 AND seq > (SELECT last_seq FROM ledger_state WHERE id = 1) - ?2 ORDER BY seq DESC LIMIT 1`,
      )
      .get(chainSeq, rowsMax);
    return row?.hash;
  }

  /** Whether a later row says what became of an unresolved call. */
  isResolved(callId: string): boolean {
    return this.#isResolved.get(callId) !== null;
  }

  segments(): readonly AuditSegment[] {
    return this.#segments.all();
  }
}
