import type { Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";

const HOUR_MS = 3_600_000;

export const VELOCITY = {
  /** An hour that costs more than so many times the mean one is unusual. */
  factor: 3n,
  /** The mean is that of so many hours before: 30 days. */
  historyHours: 720,
  /** With less behind it no mean means anything: 7 days. */
  historyHoursMin: 168,
} as const;

export interface UnusualHour {
  readonly hour: EpochMs;
  readonly spentMicros: Micros;
  /** Of an hour of the 30 days before it, or of as many as there are from the first that anything was spent in; rounded down. */
  readonly meanMicros: Micros;
}

/**
 * Whether far more was spent in an hour than in those before it: the rule of the alert `spend.velocity` and of the anomalies
 * of `keybrake spend`.
 * @param spentIn what was spent in each hour, by its start; at least in the `historyHours` before `hour`.
 */
export function unusualHour(spentIn: ReadonlyMap<EpochMs, Micros>, hour: EpochMs): UnusualHour | undefined {
  const from = hour - VELOCITY.historyHours * HOUR_MS;
  const before = [...spentIn].filter(([start]) => start >= from && start < hour);
  if (before.length === 0) return undefined;
  const hours = (hour - Math.min(...before.map(([start]) => start))) / HOUR_MS;
  const earlier = before.reduce((sum, [, spent]) => sum + spent, 0n);
  if (hours < VELOCITY.historyHoursMin || earlier <= 0n) return undefined;
  const spent = spentIn.get(hour) ?? 0n;
  // Compared as spent × hours, so that no mean is rounded.
  if (spent * BigInt(hours) <= VELOCITY.factor * earlier) return undefined;
  return { hour, spentMicros: spent, meanMicros: earlier / BigInt(hours) };
}
