import { spentMicros } from "../audit/spent.ts";
import { unusualHour, VELOCITY } from "../audit/velocity.ts";
import type { AlertNews } from "../core/alert-event.ts";
import type { CurrencyRates } from "../core/currency.ts";
import type { Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import type { AlertRow, Tally } from "../store/alert-queue.ts";
import type { Store } from "../store/store.ts";
import { capHits, capWarnings } from "./caps.ts";
import { CapsOfCalls, type SharedCaps } from "./caps-of-calls.ts";
import * as news from "./news.ts";
import { Tallies } from "./tallies.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export const RULES = {
  /** More refusals by caps of one key within an hour than this are a run that does not stop. */
  hitsPerHourMax: 10n,
} as const;

export interface RuleOptions {
  readonly store: Pick<Store, "alertTallies" | "counterUse" | "getKey">;
  readonly currencyRates: CurrencyRates;
  /** The caps above keys that match such a call. */
  readonly sharedCaps: SharedCaps;
  /** `run.cost` is told where a run has cost more; undefined tells of none. */
  readonly runCostMicros: Micros | undefined;
}

export interface Found {
  readonly news: readonly AlertNews[];
  readonly tallies: readonly Tally[];
}

/**
 * What rows that nobody has looked at yet give rise to. The same occurrence has the same id whenever and by whomever it is
 * found, so that it does not matter that a slice is judged again after a crash.
 */
export async function judgeRows(options: RuleOptions, rows: readonly AlertRow[]): Promise<Found> {
  const tallies = new Tallies(options.store);
  for (const row of rows) tally(tallies, row);
  const caps = new CapsOfCalls(options);
  const found = [
    ...rows.filter(({ state }) => state === "unresolved").map(news.callUnresolved),
    ...(await capWarnings(options.store, tallies, caps, rows)),
    ...(await capHits(tallies, caps, rows.filter(isHit))),
    ...(await hitRates(tallies, rows)),
    ...(await runCosts(options, tallies, rows)),
    ...(await velocities(tallies, rows)),
  ];
  const byId = new Map(found.toReversed().map((one) => [one.id, one]));
  return { news: [...byId.values()].toSorted((a, b) => a.at - b.at), tallies: tallies.added() };
}

function tally(tallies: Tallies, row: AlertRow): void {
  const { finishedAt: at, calledAt, vaultKeyId, agentRunLabel } = row;
  if (isHit(row)) tallies.add("hits", vaultKeyId, slotOf(calledAt, MINUTE_MS), 1n, calledAt);
  const spent = spentMicros(row);
  if (spent === 0n) return;
  tallies.add("spend", "", slotOf(at, HOUR_MS), spent, at);
  if (agentRunLabel !== null) tallies.add("run", agentRunLabel, 0, spent, at);
}

function isHit({ policyVerdict }: AlertRow): boolean {
  return policyVerdict === "cap_exceeded";
}

function slotOf(at: EpochMs, slotMs: number): EpochMs {
  return at - (at % slotMs);
}

async function hitRates(tallies: Tallies, rows: readonly AlertRow[]): Promise<AlertNews[]> {
  const found: AlertNews[] = [];
  const judged = new Set<string>();
  for (const row of rows.filter(isHit)) {
    const minute = slotOf(row.calledAt, MINUTE_MS);
    if (judged.has(`${row.vaultKeyId} ${minute}`)) continue;
    judged.add(`${row.vaultKeyId} ${minute}`);
    const from = minute - HOUR_MS + MINUTE_MS;
    const slots = await tallies.slots("hits", row.vaultKeyId, from);
    const hits = sum([...slots].filter(([slot]) => slot <= minute));
    if (hits > RULES.hitsPerHourMax) found.push(news.capHitRate(row, slotOf(row.calledAt, HOUR_MS), hits));
  }
  return found;
}

async function runCosts({ runCostMicros }: RuleOptions, tallies: Tallies, rows: readonly AlertRow[]) {
  if (runCostMicros === undefined) return [];
  const found: AlertNews[] = [];
  const lastOf = new Map(rows.filter((row) => spentMicros(row) !== 0n).map((row) => [row.agentRunLabel, row]));
  for (const [label, row] of lastOf) {
    if (label === null) continue;
    const cost = sum([...(await tallies.slots("run", label, 0))]);
    if (cost > runCostMicros) found.push(news.runCost(row, label, cost, runCostMicros));
  }
  return found;
}

async function velocities(tallies: Tallies, rows: readonly AlertRow[]): Promise<AlertNews[]> {
  const found: AlertNews[] = [];
  const spending = rows.filter((row) => spentMicros(row) > 0n);
  const lastOf = new Map(spending.map((row) => [slotOf(row.finishedAt, HOUR_MS), row]));
  for (const [hour, row] of lastOf) {
    const slots = await tallies.slots("spend", "", hour - VELOCITY.historyHours * HOUR_MS);
    const unusual = unusualHour(slots, hour);
    if (unusual) found.push(news.spendVelocity(row, hour, unusual.spentMicros, unusual.meanMicros));
  }
  return found;
}

function sum(slots: readonly (readonly [EpochMs, bigint])[]): bigint {
  return slots.reduce((total, [, amount]) => total + amount, 0n);
}
