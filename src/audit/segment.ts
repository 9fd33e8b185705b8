import type { Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import { derivedKey } from "./chain.ts";

/** What calls put on one budget's counter in one window: micro-dollars, or a number of sends. */
export type CounterSum = readonly [budgetId: string, windowStart: EpochMs, amount: bigint];

/** Stands for a range of the chain whose rows retention has removed. */
export interface AuditSegment {
  readonly firstChainSeq: number;
  readonly lastChainSeq: number;
  /** Of the row before the first, and of the last. */
  readonly prevHash: Uint8Array;
  readonly hash: Uint8Array;
  /** The sum of its rows' costs. */
  readonly costMicros: Micros;
  /** When the first and the last of its rows became final. */
  readonly firstAt: EpochMs;
  readonly lastAt: EpochMs;
  readonly prunedAt: EpochMs;
  /** What its rows put on which counters: lifetime budgets count them for ever. */
  readonly sums: readonly CounterSum[];
  readonly seal: Uint8Array;
}

/**
 * Only who has the chain's key can make a segment: else rows could be deleted and a segment put in their place.
 * @param key of the chain.
 */
export function segmentSeal(key: Uint8Array, segment: Omit<AuditSegment, "seal">): Uint8Array {
  const { firstChainSeq, lastChainSeq, prevHash, hash, costMicros, firstAt, lastAt, prunedAt, sums } = segment;
  const text = JSON.stringify([
    firstChainSeq,
    lastChainSeq,
    Buffer.from(prevHash).toString("hex"),
    Buffer.from(hash).toString("hex"),
    costMicros.toString(),
    firstAt,
    lastAt,
    prunedAt,
    sumsList(sums),
  ]);
  return new Bun.CryptoHasher("sha256", derivedKey(key, "audit segment") as Buffer).update(text).digest();
}

/** As JSON writes them: amounts are text, because a JSON number is a float to most readers. */
export function sumsList(sums: readonly CounterSum[]): readonly (readonly [string, EpochMs, string])[] {
  return sums.map(([budgetId, windowStart, amount]) => [budgetId, windowStart, amount.toString()]);
}
