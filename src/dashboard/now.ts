import { Cell, useCell } from "./cell.ts";

const TICK_MS = 1000;

/** What the server's clock is ahead of the browser's, in milliseconds: what is left of a key is told by the server's. */
let aheadMs = 0;

const tick = new Cell(now());
setInterval(() => tick.set(now()), TICK_MS);

/** The time by the server's clock, in milliseconds since 1970. */
export function now(): number {
  return Date.now() + aheadMs;
}

/** Learns the server's time from an answer's `Date` header, which has whole seconds. */
export function learnTime(date: string | null): void {
  const at = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(at)) return;
  const difference = at + 500 - Date.now();
  // A second is within what the header's rounding and the way here make.
  aheadMs = Math.abs(difference) < 2000 ? 0 : difference;
}

/** `now`, for a component that is drawn anew each second. */
export function useNow(): number {
  return useCell(tick);
}
