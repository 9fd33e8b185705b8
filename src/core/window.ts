/** Epoch milliseconds. */
export type EpochMs = number;

const DAY_MS = 86_400_000;

/** The windows that move with the clock, and how long they are: what was taken at `t` counts until just before `t` + this. */
export const ROLLING_WINDOWS_MS = { rolling_24h: DAY_MS, rolling_hour: 3_600_000, rolling_minute: 60_000 } as const;
export type RollingWindow = keyof typeof ROLLING_WINDOWS_MS;

export type CapWindow = "utc_day" | "lifetime" | RollingWindow;

export function isRolling(window: CapWindow): window is RollingWindow {
  return window in ROLLING_WINDOWS_MS;
}

/**
 * The start of the window that `now` falls in; 0 for a lifetime. A rolling window is another one at every moment: it goes
 * by the moment itself, which is what a hold's charge remembers of it.
 */
export function windowStart(window: CapWindow, now: EpochMs): EpochMs {
  if (window === "utc_day") return now - (now % DAY_MS);
  return window === "lifetime" ? 0 : now;
}

/**
 * When the window that began at `start` gives way to a new one; undefined for a lifetime, and for a rolling one, which has
 * no end: what is on it comes free bit by bit.
 */
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
