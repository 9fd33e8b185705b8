import { columnValue } from "../audit/chain-columns.ts";
import { type ChainedRow, rowCostMicros, rowFinishedAt, rowState } from "../audit/chained-row.ts";
import { type AuditSegment, type CounterSum, segmentSeal, sumsList } from "../audit/segment.ts";
import { type EpochMs, ROLLING_WINDOWS_MS } from "../core/window.ts";
import { rollingWindowOf } from "../ledger/budget.ts";
import type { Charge } from "../ledger/entry.ts";
import { chargeLeft, decodeCharges } from "./ledger/charges.ts";

/** A row of `audit_segments`. */
export interface SegmentRow {
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

export function segmentOf(row: SegmentRow): AuditSegment {
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

/** The values of the segment's row, in the order of its columns, with its seal. */
export function segmentValues(key: Uint8Array, segment: Omit<AuditSegment, "seal">) {
  const { firstChainSeq, lastChainSeq, prevHash, hash, costMicros, firstAt, lastAt, prunedAt, sums } = segment;
  const text = JSON.stringify(sumsList(sums));
  const seal = segmentSeal(key, segment);
  return [
    firstChainSeq,
    lastChainSeq,
    prevHash,
    hash,
    costMicros.toString(),
    firstAt,
    lastAt,
    prunedAt,
    text,
    seal,
  ] as const;
}

/** One that somebody else wrote is not made ours by adding to it. */
export function isOurs(key: Uint8Array, segment: AuditSegment): boolean {
  return Buffer.compare(segment.seal, segmentSeal(key, segment)) === 0;
}

/**
 * What stands for `rows` that follow one another in the chain: the segment that ends before the first of them, grown, where
 * there is one that has room, else a new one.
 * @param now of the ledger, which never runs backwards: what has aged on a rolling budget has aged by it.
 */
export function grownSegment(
  before: AuditSegment | undefined,
  rows: readonly ChainedRow[],
  { rowsMax, prunedAt, now }: { readonly rowsMax: number; readonly prunedAt: EpochMs; readonly now: EpochMs },
): Omit<AuditSegment, "seal"> {
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
    sums: summed([], rows, now),
  };
  if (!before || last.chainSeq - before.firstChainSeq >= rowsMax) return own;
  const { firstChainSeq, prevHash, firstAt } = before;
  const sums = summed(before.sums, rows, now);
  return { ...own, firstChainSeq, prevHash, firstAt, costMicros: before.costMicros + costMicros, sums };
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
