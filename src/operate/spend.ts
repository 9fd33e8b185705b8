import { Problem } from "../core/problem.ts";
import type { EpochMs } from "../core/window.ts";
import type { SpendFilter, SpendQuery } from "../store/spend.ts";
import { ownKeysOnly } from "./actor.ts";
import type { Actor } from "./control-plane.ts";
import { isoTime } from "./key-view.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { spendAnomalies } from "./spend-anomalies.ts";
import { readSpendBy, type SpendBy } from "./spend-by.ts";
import { type NamedGroup, namedGroups, rowsOf, summed, sumsView } from "./spend-groups.ts";
import { type Projection, projectSpend } from "./spend-projection.ts";
import { addUpBeforeReport } from "./spend-upkeep.ts";
import type { SpendReportView, SpendRequest } from "./spend-verbs.ts";

const DAY_MS = 86_400_000;
/** What a report is of where nobody says since when. */
export const SPEND_SINCE_MS = 7 * DAY_MS;
export const SPEND_ROWS = 100;
export const SPEND_ROWS_MAX = 10_000;

/** What was spent, by group. Time is UTC: a day begins at 00:00Z. */
export async function spend(
  { store, clock }: Pick<ControlPlaneOptions, "store" | "clock">,
  request: SpendRequest,
  actor: Actor,
): Promise<SpendReportView> {
  const now = clock.now();
  const by = readSpendBy(request.by ?? "run");
  const limit = readLimit(request.limit ?? SPEND_ROWS);
  const filter = readFilter(request, actor, now);
  await addUpBeforeReport(store, clock, request);
  const query: SpendQuery = {
    by: by.key,
    splitByVendor: request.split === "vendor" || by.hasVendor,
    filter,
  };
  const found = await store.sumSpend(query);
  const groups = namedGroups(by, found.groups);
  const projection = request.project ? await projectSpend(store, by, query, now) : undefined;
  const anomalies = request.anomalies ? await spendAnomalies(store, filter, now) : undefined;
  const total = summed(found.groups);
  const shown = by.isTime ? groups.slice(-limit) : groups.slice(0, limit);
  const isSplit = request.split === "vendor";
  return {
    by: by.name,
    since: isoTime(found.since ?? 0),
    until: found.until === undefined ? null : isoTime(found.until),
    rows: shown.flatMap((group) => projectedRows(by, isSplit, group, total, projection)),
    total: sumsView(total),
    groups: groups.length,
    truncated: shown.length < groups.length,
    ...(projection ? { projection: projection.view } : {}),
    ...(anomalies ? { anomalies } : {}),
  };
}

function projectedRows(
  by: SpendBy,
  isSplit: boolean,
  group: NamedGroup,
  total: ReturnType<typeof summed>,
  projection: Projection | undefined,
) {
  const rows = rowsOf(by, isSplit, group, total);
  // A day has no month of its own.
  if (!projection || by.isTime) return rows;
  return rows.map((row) => ({ ...row, projected_month_usd: projection.monthOf(group.name, row.vendor) }));
}

function readLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= SPEND_ROWS_MAX) return limit;
  throw new Problem("invalid", `limit must be 1 to ${SPEND_ROWS_MAX}, not ${limit}`);
}

/** An issuer is shown what the keys that it issued have spent, as it is shown these keys alone. */
function readFilter(request: SpendRequest, actor: Actor, now: EpochMs): SpendFilter {
  const { run, vendor, until } = request;
  const since = request.since ?? (until ?? now) - SPEND_SINCE_MS;
  if (until !== undefined && since >= until) {
    throw new Problem(
      "invalid",
      `since is ${isoTime(since)}, which is not before until, ${isoTime(until)}: nothing lies between them`,
      "give an earlier since, or a later until",
    );
  }
  const owner = ownKeysOnly(actor);
  return {
    since,
    ...(until === undefined ? {} : { until }),
    ...(run === undefined ? {} : { run }),
    ...(vendor === undefined ? {} : { vendor }),
    ...(request.label_contains === undefined ? {} : { labelContains: request.label_contains }),
    ...(request.key_id === undefined ? {} : { keyId: request.key_id }),
    ...(owner === undefined ? {} : { issuedBy: owner }),
  };
}
