/** Epoch milliseconds. */
export type EpochMs = number;

export const CAP_WINDOWS = ["utc_day", "lifetime"] as const;
export type CapWindow = (typeof CAP_WINDOWS)[number];

const DAY_MS = 86_400_000;

/** The start of the window that `now` falls in; 0 for a lifetime. */
export function windowStart(window: CapWindow, now: EpochMs): EpochMs {
  return window === "utc_day" ? now - (now % DAY_MS) : 0;
}

/** When the window that began at `start` gives way to a new one; undefined for a lifetime. */
export function windowReset(window: CapWindow, start: EpochMs): EpochMs | undefined {
  return window === "utc_day" ? start + DAY_MS : undefined;
}

const DURATION_PATTERN = /^([1-9][0-9]{0,8})(ms|s|m|h|d)?$/;
const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS } as const;

/** A hundred years: the time that such a duration ends at can still be written as a date. */
const DURATION_MS_MAX = 36_500 * DAY_MS;

/**
 * `30s`, `5m`, `2h`, `7d`, or a number of seconds, in milliseconds.
 * @throws RangeError naming the value, also where it is above a hundred years.
 */
export function parseDuration(value: string | number): number {
  const match = DURATION_PATTERN.exec(String(value).trim());
  if (!match) throw new RangeError(`"${value}" is not a duration (30s, 5m, 2h, 7d, or whole seconds)`);
  const durationMs = Number(match[1]) * DURATION_UNITS[(match[2] ?? "s") as keyof typeof DURATION_UNITS];
  if (durationMs > DURATION_MS_MAX) throw new RangeError(`"${value}" is longer than 36500d, the longest duration`);
  return durationMs;
}

/** `2h`, `1d`, `90s`: the shortest exact spelling. */
export function formatDuration(durationMs: number): string {
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (durationMs > 0 && durationMs % DURATION_UNITS[unit] === 0) return `${durationMs / DURATION_UNITS[unit]}${unit}`;
  }
  return `${durationMs}ms`;
}
