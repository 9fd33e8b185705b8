import type { SQL as Pool } from "bun";
import type { ChainedRow, ChainState, RowSearch } from "../../audit/chained-row.ts";
import type { AuditSegment } from "../../audit/segment.ts";
import type { EpochMs } from "../../core/window.ts";
import { chainedRow, type Read } from "../chained-rows.ts";
import { FINAL_COLUMNS } from "../ledger/final-rows.ts";
import { grownSegment, isOurs, type SegmentRow, segmentOf, segmentValues } from "../segment-rows.ts";
import { keepSums } from "./spend.ts";

const COLUMNS = FINAL_COLUMNS.join(", ");

interface StateRow {
  readonly now: bigint;
  readonly chain_count: bigint;
  readonly chain_hash: Uint8Array;
  readonly chain_cost: string;
  readonly frozen: string | null;
  readonly open_from: bigint | null;
}

/** The audit table as the chain: rows with what their hashes cover, the head, and what stands for rows that are gone. */
export class PostgresAuditChain {
  readonly #pool: Pool;
  readonly #chainKey: () => Uint8Array;

  constructor(pool: Pool, chainKey: () => Uint8Array) {
    this.#pool = pool;
    this.#chainKey = chainKey;
  }

  async state(): Promise<ChainState> {
    const [row] = (await this.#pool.unsafe(
      `SELECT now, chain_count, chain_hash, chain_cost, frozen, (SELECT min(batch) FROM open_batches) AS open_from
       FROM ledger_state WHERE id = 1`,
    )) as [StateRow];
    return {
      count: Number(row.chain_count),
      hash: row.chain_hash,
      costMicros: BigInt(row.chain_cost),
      at: Number(row.now),
      frozen: row.frozen,
      openFrom: row.open_from ?? undefined,
    };
  }

  rows(place: bigint, limit: number): Promise<readonly ChainedRow[]> {
    return this.#read("seq > $1 ORDER BY seq LIMIT $2", [place, limit]);
  }

  /** The rows with these `seq`, in the same order; one that is not there is left out. */
  async rowsAt(seqs: readonly number[]): Promise<readonly ChainedRow[]> {
    const list = JSON.stringify(seqs);
    const found = await this.#read("seq IN (SELECT value::int8 FROM json_array_elements_text($1::text::json))", [list]);
    const bySeq = new Map(found.map((row) => [Number(row.place), row]));
    return seqs.flatMap((seq) => bySeq.get(seq) ?? []);
  }

  /** Reads every row: no index leads to a position or a hash, because every call would pay for one. */
  find(search: RowSearch): Promise<readonly ChainedRow[]> {
    const [column, wanted] =
      "chainSeq" in search
        ? (["chain_seq", search.chainSeq] as const)
        : "prevHash" in search
          ? (["prev_hash", Buffer.from(search.prevHash)] as const)
          : (["hash", Buffer.from(search.hash)] as const);
    return this.#read(`${column} = $1 ORDER BY seq LIMIT 10`, [wanted]);
  }

  /** The hash of the row at a position that was reached lately: from the newest row back, for at most so many rows. */
  async recentHash(chainSeq: number, rowsMax: number): Promise<Uint8Array | undefined> {
    const [row] = (await this.#pool.unsafe(
      `SELECT hash FROM audit_rows
       WHERE chain_seq = $1 AND seq > (SELECT last_seq FROM ledger_state WHERE id = 1) - $2 ORDER BY seq DESC LIMIT 1`,
      [chainSeq, rowsMax],
    )) as [{ hash: Uint8Array } | undefined];
    return row?.hash;
  }

  /** Whether a later row says what became of an unresolved call. */
  async isResolved(callId: string): Promise<boolean> {
    return (await this.#pool.unsafe("SELECT seq FROM audit_rows WHERE refers_to = $1", [callId])).length > 0;
  }

  async segments(): Promise<readonly AuditSegment[]> {
    const rows = await this.#pool.unsafe("SELECT * FROM audit_segments ORDER BY first_chain_seq");
    return (rows as SegmentRow[]).map(segmentOf);
  }

  /**
   * Removes rows and lets a segment stand for them, in one transaction.
   * @param rows that follow one another in the chain.
   * @returns false where they are no longer as they were read: another process prunes, or changed them.
   */
  prune(rows: readonly ChainedRow[], rowsMax: number, prunedAt: EpochMs): Promise<boolean> {
    const written = rows.map(({ place, hash }) => [place.toString(), Buffer.from(hash).toString("hex")]);
    return this.#pool
      .begin(async (tx) => {
        const [state] = (await tx.unsafe("SELECT now FROM ledger_state WHERE id = 1 FOR UPDATE")) as [{ now: bigint }];
        await keepSums(
          tx,
          rows.map(({ place }) => place),
        );
        const removed = await tx.unsafe(
          `DELETE FROM audit_rows USING json_array_elements($1::text::json) AS gone (v)
           WHERE seq = (v ->> 0)::int8 AND hash = decode(v ->> 1, 'hex')`,
          [JSON.stringify(written)],
        );
        if (Number(removed.count) !== rows.length) throw new NotAsRead();
        const ending = "SELECT * FROM audit_segments WHERE last_chain_seq = $1";
        const [found] = (await tx.unsafe(ending, [rows[0]!.chainSeq - 1])) as [SegmentRow | undefined];
        const before = found && segmentOf(found);
        const own = before && isOurs(this.#chainKey(), before) ? before : undefined;
        const segment = grownSegment(own, rows, { rowsMax, prunedAt, now: Number(state.now) });
        await tx.unsafe(WRITE_SEGMENT, segmentValues(this.#chainKey(), segment).map(asBuffer));
        return true;
      })
      .catch((cause: unknown) => {
        if (cause instanceof NotAsRead) return false;
        throw cause;
      });
  }

  async #read(condition: string, params: unknown[]): Promise<readonly ChainedRow[]> {
    const rows = await this.#pool.unsafe(`SELECT ${COLUMNS} FROM audit_rows WHERE ${condition}`, params);
    return (rows as Record<string, Read>[]).map((row) => chainedRow(FINAL_COLUMNS.map((name) => row[name]!)));
  }
}

/** Takes a transaction back. */
class NotAsRead extends Error {}

const WRITE_SEGMENT = `
  INSERT INTO audit_segments (first_chain_seq, last_chain_seq, prev_hash, hash, cost, first_at, last_at, pruned_at, sums, seal)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  ON CONFLICT (first_chain_seq) DO UPDATE SET last_chain_seq = excluded.last_chain_seq, hash = excluded.hash,
    cost = excluded.cost, last_at = excluded.last_at, pruned_at = excluded.pruned_at, sums = excluded.sums,
    seal = excluded.seal`;

function asBuffer(value: string | number | Uint8Array): string | number | Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}
