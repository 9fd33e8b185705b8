import { MICROS_PER_USD, type Micros } from "../core/money.ts";
import { VERSION } from "../core/version.ts";
import { NEAR_PERCENTS } from "./cap-use.ts";
import { MetricsPage, type Row } from "./metrics-page.ts";
import type { ProcessReading, Snapshot, StoreReading } from "./snapshot.ts";
import { BRAKE_SCOPES } from "./snapshot.ts";
import { NO_VENDOR, type Tallies } from "./tallies.ts";

/**
 * The snapshot in Prometheus's text format, by its own client library. That library is asked once per scrape and never per
 * call: an increment with labels costs it a third of a microsecond (docs/decisions/0025).
 */
export async function prometheusText(snapshot: Snapshot): Promise<string> {
  const page = new MetricsPage();
  const { tallies, process, store, capUse, isStoreUp } = snapshot;
  page.gauge("keybrake_build_info", "Always 1, with the version of Keybrake and of Bun.", [
    [{ version: VERSION, bun: Bun.version }, 1],
  ]);
  addCalls(page, tallies);
  addLedger(page, tallies);
  addProcess(page, process);
  page.gauge("keybrake_store_up", "1 where a write has just reached the disk, 0 where calls are refused for it.", [
    [{}, isStoreUp ? 1 : 0],
  ]);
  if (store) addStore(page, store);
  if (capUse) addCapUse(page, capUse);
  return page.text();
}

function addCalls(page: MetricsPage, { vendors, holds }: Tallies): void {
  const named = vendors.filter(([vendor]) => vendor !== NO_VENDOR);
  page.counter(
    "keybrake_calls_total",
    "Calls that this process has answered, by vendor and verdict.",
    vendors.flatMap(([vendor, tally]) => tally.calls.map(([verdict, calls]): Row => [{ vendor, verdict }, calls])),
  );
  page.counter(
    "keybrake_settled_usd_total",
    "Dollars that calls of this process have cost, as known when they ended.",
    named.map(([vendor, tally]) => [{ vendor }, dollars(tally.settledMicros)]),
  );
  page.counter(
    "keybrake_reconciled_usd_total",
    "Dollars by which prices that came later were more (added) or less (taken_off) than what was counted.",
    named.flatMap(([vendor, tally]): Row[] => [
      [{ vendor, change: "added" }, dollars(tally.addedLaterMicros)],
      [{ vendor, change: "taken_off" }, dollars(tally.takenOffLaterMicros)],
    ]),
  );
  page.histogram("keybrake_hold_seconds", "How long calls waited for the disk before they were decided.", [
    [{}, holds],
  ]);
  page.histogram(
    "keybrake_forward_seconds",
    "How long vendors took, from sending a call to its answer.",
    named.filter(([, { forwards }]) => forwards.sum > 0).map(([vendor, { forwards }]) => [{ vendor }, forwards]),
  );
}

function addLedger(page: MetricsPage, { commits, commitEntries, failedCommits }: Tallies): void {
  page.histogram("keybrake_commit_seconds", "How long the ledger's transactions took, fsync included.", [
    [{}, commits],
  ]);
  page.histogram("keybrake_commit_entries", "Holds and resolutions in one transaction.", [[{}, commitEntries]]);
  page.counter("keybrake_commit_failures_total", "Transactions of the ledger that the store did not take.", [
    [{}, failedCommits],
  ]);
}

function addProcess(page: MetricsPage, reading: ProcessReading): void {
  const one = (name: string, help: string, value: number) => page.gauge(name, help, [[{}, value]]);
  page.gauge(
    "keybrake_connections",
    "Open connections, by the listener that took them.",
    reading.connections.map(([listener, open]) => [{ listener }, open]),
  );
  one("keybrake_calls_under_way", "Calls that were let in and have not ended.", reading.callsUnderWay);
  one("keybrake_calls_at_vendors", "Calls that are at their vendors.", reading.callsAtVendors);
  one("keybrake_ledger_queue", "Holds and resolutions that wait for a commit.", reading.ledgerQueue);
  one("keybrake_draining", "1 from when the server was told to stop.", reading.isDraining ? 1 : 0);
  if (reading.spans) {
    const spans = Object.entries(reading.spans).map(([result, count]): Row => [{ result }, count]);
    page.counter("keybrake_spans_total", "Spans of traces, by what became of them.", spans);
  }
  page.counter("process_cpu_seconds_total", "Processor time of this process.", [[{}, reading.cpuSeconds]]);
  one("process_resident_memory_bytes", "Resident memory of this process.", reading.residentBytes);
  one("process_start_time_seconds", "When this process started, in Unix time.", reading.startedAtSeconds);
}

function addStore(page: MetricsPage, reading: StoreReading): void {
  const one = (name: string, help: string, value: number) => page.gauge(name, help, [[{}, value]]);
  one("keybrake_unresolved_calls", "Calls whose outcome is unknown and counts in full.", reading.unresolvedCalls);
  one("keybrake_unresolved_usd", "Dollars that those calls may have cost.", dollars(reading.unresolvedMicros));
  one("keybrake_alerts_waiting", "Alerts that have not reached their target.", reading.alertsWaiting);
  one("keybrake_prices_waiting", "Calls whose price is still to be asked for.", reading.pricesWaiting);
  one("keybrake_active_keys", "Vault keys that are neither revoked nor expired.", reading.activeKeys);
  page.gauge(
    "keybrake_brakes_engaged",
    "Engaged brakes, by what they stop.",
    BRAKE_SCOPES.map((scope) => [{ scope }, reading.brakes[scope]]),
  );
  one("keybrake_frozen", "1 from a restore until it is confirmed: no key works.", reading.frozen ? 1 : 0);
}

function addCapUse(
  page: MetricsPage,
  { keysNear, keysSeen, budgets, budgetsLeftOut }: NonNullable<Snapshot["capUse"]>,
): void {
  page.gauge(
    "keybrake_keys_near_cap",
    "Active keys that have used so many per cent of one of their dollar caps, or more.",
    NEAR_PERCENTS.map((percent, place) => [{ percent: String(percent) }, keysNear[place]!]),
  );
  page.gauge("keybrake_keys_looked_at", "Active keys that keybrake_keys_near_cap is about.", [[{}, keysSeen]]);
  page.gauge(
    "keybrake_budget_used_ratio",
    "Used of each cap in budgets.yaml, 1 is all of it; of a family, by the member that has used most.",
    budgets.map(({ budget, cap, ratio }) => [{ budget, cap }, ratio]),
  );
  page.gauge(
    "keybrake_budget_members_near_cap",
    "Members of a family of budgets that have used so many per cent of the cap, or more.",
    budgets.flatMap(({ budget, cap, membersNear }) =>
      NEAR_PERCENTS.flatMap((percent, place): Row[] =>
        membersNear ? [[{ budget, cap, percent: String(percent) }, membersNear[place]!]] : [],
      ),
    ),
  );
  page.gauge("keybrake_budgets_left_out", "Budgets beyond the first 100 of budgets.yaml, which have no series.", [
    [{}, budgetsLeftOut],
  ]);
}

/** For charts: nothing is decided by it. */
function dollars(micros: Micros): number {
  return Number(micros) / Number(MICROS_PER_USD);
}
