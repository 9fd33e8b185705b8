import { type UnusualHour, unusualHour, VELOCITY } from "../audit/velocity.ts";
import { formatUsd, type Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import type { SpendFilter } from "../store/spend.ts";
import type { Store } from "../store/store.ts";
import { isoTime } from "./key-view.ts";
import { readSpendBy } from "./spend-by.ts";
import { namedGroups, totalMicros } from "./spend-groups.ts";
import type { SpendAnomalyView } from "./spend-verbs.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Hours are looked at in as many days before the end of the report. */
const LOOKED_AT_MS = 30 * DAY_MS;
/** The newest: more of them are a new normal. */
const HOURS_MAX = 24;
const RUNS_PER_HOUR = 3;

type Sums = Pick<Store, "sumSpend">;

/** The unusual hours of a report, the newest last, with the runs that made them so. Hours are those in which calls were made. */
export async function spendAnomalies(store: Sums, filter: SpendFilter, now: EpochMs): Promise<SpendAnomalyView[]> {
  const end = filter.until ?? now;
  const from = floorHour(Math.max(filter.since ?? 0, end - LOOKED_AT_MS));
  const spentIn = await hoursOf(store, { ...filter, since: from - VELOCITY.historyHours * HOUR_MS });
  const unusual = [...spentIn.keys()]
    .filter((hour) => hour >= from)
    .toSorted((a, b) => a - b)
    .flatMap((hour) => unusualHour(spentIn, hour) ?? [])
    .slice(-HOURS_MAX);
  const views: SpendAnomalyView[] = [];
  for (const each of unusual) views.push(anomalyView(each, await dearestRuns(store, filter, each.hour)));
  return views;
}

async function hoursOf(store: Sums, filter: SpendFilter): Promise<ReadonlyMap<EpochMs, Micros>> {
  const { groups } = await store.sumSpend({ by: "hour", splitByVendor: false, filter });
  // As in the tallies of alerts, history begins with money and not with the first refusal.
  return new Map(
    groups.map((group) => [Number(group.value), totalMicros(group)] as const).filter(([, spent]) => spent !== 0n),
  );
}

async function dearestRuns(store: Sums, filter: SpendFilter, hour: EpochMs): Promise<SpendAnomalyView["runs"]> {
  const until = Math.min(hour + HOUR_MS, filter.until ?? Number.POSITIVE_INFINITY);
  const { groups } = await store.sumSpend({
    by: "run",
    splitByVendor: false,
    filter: { ...filter, since: hour, until },
  });
  return namedGroups(readSpendBy("run"), groups)
    .slice(0, RUNS_PER_HOUR)
    .map(({ name, spentMicros }) => ({ run: name, total_usd: formatUsd(spentMicros) }));
}

function anomalyView({ hour, spentMicros, meanMicros }: UnusualHour, runs: SpendAnomalyView["runs"]): SpendAnomalyView {
  return {
    hour: isoTime(hour),
    spent_usd: formatUsd(spentMicros),
    mean_usd: formatUsd(meanMicros),
    factor: meanMicros === 0n ? Number.MAX_SAFE_INTEGER : Number((spentMicros * 10n) / meanMicros) / 10,
    runs,
  };
}

function floorHour(at: EpochMs): EpochMs {
  return at - (at % HOUR_MS);
}
