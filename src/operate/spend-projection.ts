import { formatUsd, type Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import type { SpendQuery } from "../store/spend.ts";
import type { Store } from "../store/store.ts";
import { isoTime } from "./key-view.ts";
import type { SpendBy } from "./spend-by.ts";
import { groupId, summed, totalMicros } from "./spend-groups.ts";
import type { SpendProjectionView } from "./spend-verbs.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const BASIS_MS = 7 * DAY_MS;
/** Calls of this long before show that what is quiet has been quiet, and not that it is new. */
const LOOK_BACK_MS = 30 * DAY_MS;
const DAYS_A_MONTH = 30n;

export interface Projection {
  readonly view: SpendProjectionView;
  /** Of one row, by its name and, where it has one, its vendor. */
  readonly monthOf: (name: string | null, vendor: string | null | undefined) => string;
}

/**
 * What 30 days like the last seven would cost: the mean of a day of these, 30 times. Where the first call is younger than
 * seven days, the mean is that of the time since it.
 */
export async function projectSpend(
  store: Pick<Store, "sumSpend">,
  by: SpendBy,
  query: SpendQuery,
  now: EpochMs,
): Promise<Projection> {
  const until = query.filter.until ?? now;
  const from = until - BASIS_MS;
  const since = (await hasCalls(store, query, from)) ? from : await firstHour(store, query, from, until);
  const elapsedMs = until - since;
  // Up to the newest call where no end was given, as the report itself.
  const { groups } = await store.sumSpend({ ...query, filter: { ...query.filter, since: from } });
  const month = (spent: Micros) => perTime(spent, DAYS_A_MONTH * BigInt(DAY_MS), elapsedMs);
  const spent = totalMicros(summed(groups));
  const parts = Map.groupBy(groups, (group) => groupId(by, by.nameOf(group), group.vendor));
  const spentBy = (name: string | null, vendor: string | null | undefined) => {
    const ofName = parts.get(groupId(by, name, vendor ?? null)) ?? [];
    return totalMicros(summed(vendor ? ofName.filter((part) => part.vendor === vendor) : ofName));
  };
  return {
    view: {
      method: "the mean of a day of the last 7 days, 30 times",
      since: isoTime(since),
      until: isoTime(until),
      days: Math.round((elapsedMs / DAY_MS) * 100) / 100,
      spent_usd: formatUsd(spent),
      daily_mean_usd: formatUsd(perTime(spent, BigInt(DAY_MS), elapsedMs)),
      projected_month_usd: formatUsd(month(spent)),
    },
    monthOf: (name, vendor) => formatUsd(month(spentBy(name, vendor))),
  };
}

async function hasCalls(store: Pick<Store, "sumSpend">, query: SpendQuery, until: EpochMs): Promise<boolean> {
  const filter = { ...query.filter, since: until - LOOK_BACK_MS, until };
  return (await store.sumSpend({ by: "day", splitByVendor: false, filter })).groups.length > 0;
}

/** Never less than an hour ago: a mean of minutes is none. */
async function firstHour(
  store: Pick<Store, "sumSpend">,
  query: SpendQuery,
  since: EpochMs,
  until: EpochMs,
): Promise<EpochMs> {
  const filter = { ...query.filter, since, until };
  const { groups } = await store.sumSpend({ by: "hour", splitByVendor: false, filter });
  return Math.max(since, Math.min(until - HOUR_MS, ...groups.map(({ value }) => Number(value))));
}

/** Rounded down to a micro-dollar. */
function perTime(spent: Micros, wantedMs: bigint, elapsedMs: number): Micros {
  return (spent * wantedMs) / BigInt(elapsedMs);
}
