import type { AlertNews } from "../core/alert-event.ts";
import { type EpochMs, isRolling, ROLLING_WINDOWS_MS, windowStart } from "../core/window.ts";
import type { Budget } from "../ledger/budget.ts";
import type { AlertRow } from "../store/alert-queue.ts";
import type { Store } from "../store/store.ts";
import type { CapOfCall, CapsOfCalls } from "./caps-of-calls.ts";
import * as news from "./news.ts";
import type { Tallies } from "./tallies.ts";

/** A cap is nearly spent from this share of it on. */
export const WARNING_PERCENT = 80n;

/** From what the counter shows now, because a call may be counted before its row is final. */
export async function capWarnings(
  store: Pick<Store, "counterUse">,
  tallies: Tallies,
  caps: CapsOfCalls,
  rows: readonly AlertRow[],
): Promise<readonly AlertNews[]> {
  const found: AlertNews[] = [];
  const seen = new Set<string>();
  for (const row of rows) {
    for (const { budgetId, windowStart: start } of row.charges) {
      if (seen.has(`${budgetId} ${start}`)) continue;
      seen.add(`${budgetId} ${start}`);
      const capped = (await caps.of(row)).filter(({ budget }) => budget.id === budgetId && isWarnedOf(budget));
      if (capped.length === 0) continue;
      const used = await store.counterUse(budgetId, start);
      for (const cap of capped) {
        if (used * 100n < cap.budget.cap * WARNING_PERCENT) continue;
        const since = await onceSince(tallies, "warned", cap.budget, start);
        if (since !== undefined) found.push(news.capWarning(row, cap, since, used));
      }
    }
  }
  return found;
}

/** A rate is full and free again within the hour; a cap of 0 is full from the beginning. */
function isWarnedOf({ unit, cap }: Budget): boolean {
  return unit !== "requests" && cap > 0n;
}

/** @param hits the calls that caps have refused. */
export async function capHits(
  tallies: Tallies,
  caps: CapsOfCalls,
  hits: readonly AlertRow[],
): Promise<readonly AlertNews[]> {
  const found: AlertNews[] = [];
  for (const row of hits) {
    const cap = (await caps.of(row)).find(({ budget }) => (budget.rule ?? budget.name) === row.verdictRule);
    // A cap that has been changed away since: a day is as good a window as any.
    const window = cap?.budget.window ?? "utc_day";
    const start = windowStart(window, row.calledAt);
    const since = cap ? await onceSince(tallies, "hit", cap.budget, start) : start;
    if (since !== undefined) found.push(news.capHit(row, cap, since));
  }
  return found;
}

/**
 * The window that an event names, by which it is told once; undefined where it has been told of. A rolling window is another
 * one at every moment: there it is the moment of the first call, and for as long as the window is no other one is told.
 */
async function onceSince(
  tallies: Tallies,
  kind: "warned" | "hit",
  { id, name, window }: CapOfCall["budget"],
  start: EpochMs,
): Promise<EpochMs | undefined> {
  if (!isRolling(window)) return start;
  const subject = `${id}:${name}`;
  const told = await tallies.slots(kind, subject, start - ROLLING_WINDOWS_MS[window] + 1);
  if (told.size > 0) return undefined;
  tallies.add(kind, subject, start, 1n, start);
  return start;
}
