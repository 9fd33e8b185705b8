import type { Database } from "bun:sqlite";
import { columnValue } from "../../audit/chain-columns.ts";
import { type ChainedRow, rowCostMicros, rowFinishedAt, rowState } from "../../audit/chained-row.ts";
import { type AuditSegment, type CounterSum, segmentSeal, sumsList } from "../../audit/segment.ts";
import { type EpochMs, ROLLING_WINDOWS_MS } from "../../core/window.ts";
import { rollingWindowOf } from "../../ledger/budget.ts";
import type { Charge } from "../../ledger/entry.ts";
import { chargeLeft, decodeCharges } from "../ledger/charges.ts";
import type { SpendSumsWriter } from "./spend-sums.ts";

interface SegmentRow {
  readonly first_chain_seq: bigint;
  readonly last_chain_seq: bigint;
  readonly prev_hash: Uint8Array;
  readonly hash: Uint8Array;
  readonly cost: string;
  readonly first_at: bigint;
  readonly last_at: bigint;
  readonly pruned_at: bigint;
  readonly sums: string;
  readonly seal: Uint8Array;
}

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
    const [first, last] = [rows[0]!, rows.at(-1)!];
    const costMicros = rows.reduce((sum, row) => sum + rowCostMicros(row), 0n);
    const own = {
      firstChainSeq: first.chainSeq,
      lastChainSeq: last.chainSeq,
      prevHash: first.prevHash,
      hash: last.hash,
      costMicros,
      firstAt: rowFinishedAt(first),
      lastAt: rowFinishedAt(last),
      prunedAt,
      sums: summed([], rows, this.#ledgerNow()),
    };
    const before = this.#endingAt(first.chainSeq - 1);
    if (!before || last.chainSeq - before.firstChainSeq >= rowsMax) return own;
    const { firstChainSeq, prevHash, firstAt } = before;
    const sums = summed(before.sums, rows, this.#ledgerNow());
    return { ...own, firstChainSeq, prevHash, firstAt, costMicros: before.costMicros + costMicros, sums };
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
    // One that somebody else wrote is not made ours by adding to it.
    const isOurs = segment && Buffer.compare(segment.seal, segmentSeal(this.#chainKey(), segment)) === 0;
    return isOurs ? segment : undefined;
  }

  #write(segment: Omit<AuditSegment, "seal">): void {
    const { firstChainSeq, lastChainSeq, prevHash, hash, costMicros, firstAt, lastAt, prunedAt, sums } = segment;
    this.#database
      .query<unknown, (number | string | Uint8Array)[]>(
        `INSERT INTO audit_segments (first_chain_seq, last_chain_seq, prev_hash, hash, cost, first_at, last_at, pruned_at, sums, seal)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET last_chain_seq = excluded.last_chain_seq, hash = excluded.hash, cost = excluded.cost,
           last_at = excluded.last_at, pruned_at = excluded.pruned_at, sums = excluded.sums, seal = excluded.seal`,
      )
      .run(
        firstChainSeq,
        lastChainSeq,
        prevHash,
        hash,
        costMicros.toString(),
        firstAt,
        lastAt,
        prunedAt,
        JSON.stringify(sumsList(sums)),
        segmentSeal(this.#chainKey(), segment),
      );
  }
}

function segmentOf(row: SegmentRow): AuditSegment {
  return {
    firstChainSeq: Number(row.first_chain_seq),
    lastChainSeq: Number(row.last_chain_seq),
    prevHash: row.prev_hash,
    hash: row.hash,
    costMicros: BigInt(row.cost),
    firstAt: Number(row.first_at),
    lastAt: Number(row.last_at),
    prunedAt: Number(row.pruned_at),
    sums: (JSON.parse(row.sums) as [string, EpochMs, string][]).map(([id, start, amount]) => [
      id,
      start,
      BigInt(amount),
    ]),
    seal: row.seal,
  };
}

/** What `rows` leave on which counters, added to `sums`. */
function summed(sums: readonly CounterSum[], rows: readonly ChainedRow[], now: EpochMs): readonly CounterSum[] {
  const total = new Map<string, CounterSum>(sums.map((sum) => [`${sum[1]} ${sum[0]}`, sum]));
  for (const row of rows) {
    // Of an unresolved call its later row counts; nothing else is pruned that holds.
    const state = rowState(row);
    if (state !== "settled" && state !== "released") continue;
    const keyId = columnValue(row.values, "vault_key_id") as string;
    const exposureMicros = BigInt(columnValue(row.values, "exposure_micros")!);
    const charges = decodeCharges(keyId, exposureMicros, columnValue(row.values, "charges") as string | null);
    for (const charge of charges) {
      const { budgetId, windowStart } = charge;
      // A released call leaves its requests, if anything.
      if (hasAged(charge, now) || (state === "released" && charge.unit !== "requests")) continue;
      const key = `${windowStart} ${budgetId}`;
      const left = chargeLeft({ state, costMicros: rowCostMicros(row) }, charge);
      total.set(key, [budgetId, windowStart, (total.get(key)?.[2] ?? 0n) + left]);
    }
  }
  return [...total.values()];
}

/** Of a rolling budget a row stands for nothing once its window is over: a sum per call would make segments large. */
function hasAged({ budgetId, windowStart }: Charge, now: EpochMs): boolean {
  const window = rollingWindowOf(budgetId);
  return window !== undefined && windowStart <= now - ROLLING_WINDOWS_MS[window];
}
