import { expect, test } from "bun:test";
import { prometheusText } from "../../src/telemetry/prometheus.ts";
import type { Snapshot, StoreReading } from "../../src/telemetry/snapshot.ts";
import { Tallies } from "../../src/telemetry/tallies.ts";
import { readMetrics, seriesPerMetric } from "../harness/metrics-text.ts";

const STORE: StoreReading = {
  unresolvedCalls: 3,
  unresolvedMicros: 29_990_000n,
  alertsWaiting: 2,
  pricesWaiting: 1,
  activeKeys: 12,
  brakes: { everything: 0, vendor: 1, label_prefix: 0, vendor_and_label_prefix: 0 },
  frozen: undefined,
};

function snapshot(own: Partial<Snapshot> = {}): Snapshot {
  const process = {
    connections: [["main", 7]] as const,
    callsUnderWay: 4,
    callsAtVendors: 3,
    ledgerQueue: 2,
    isDraining: false,
    cpuSeconds: 1.5,
    residentBytes: 1e8,
    startedAtSeconds: 1_700_000_000,
    spans: undefined,
  };
  const capUse = {
    keysNear: [5, 2],
    keysSeen: 12,
    budgets: [
      { budget: "platform", cap: "daily_usd_cap", ratio: 0.25, membersNear: undefined },
      { budget: "per-tenant", cap: "daily_usd_cap", ratio: 1, membersNear: [3, 1] },
    ],
    budgetsLeftOut: 0,
  };
  return { tallies: new Tallies(["stripe", "acme"]), process, isStoreUp: true, store: STORE, capUse, ...own };
}

test("a page says what was counted, by names and labels that stay", async () => {
  const tallies = new Tallies(["stripe"]);
  tallies.of("stripe").call("allowed");
  tallies.of("stripe").call("cap_exceeded");
  tallies.of("stripe").settled(29_990_000n);
  tallies.of("stripe").forwards.observe(0.02);
  tallies.of(undefined).call("key_unknown");
  tallies.waited({ fromMs: 10, toMs: 12 });
  tallies.committed(3, 1.5);
  tallies.commitFailed();
  const { series, types } = readMetrics(await prometheusText(snapshot({ tallies })));
  expect(Object.fromEntries(series)).toMatchObject({
    'keybrake_calls_total{vendor="stripe",verdict="allowed"}': 1,
    'keybrake_calls_total{vendor="stripe",verdict="cap_exceeded"}': 1,
    'keybrake_calls_total{vendor="unknown",verdict="key_unknown"}': 1,
    'keybrake_settled_usd_total{vendor="stripe"}': 29.99,
    'keybrake_forward_seconds_bucket{le="0.01",vendor="stripe"}': 0,
    'keybrake_forward_seconds_bucket{le="0.025",vendor="stripe"}': 1,
    'keybrake_forward_seconds_bucket{le="+Inf",vendor="stripe"}': 1,
    'keybrake_forward_seconds_sum{vendor="stripe"}': 0.02,
    'keybrake_forward_seconds_count{vendor="stripe"}': 1,
    'keybrake_hold_seconds_bucket{le="0.0025"}': 1,
    'keybrake_commit_entries_bucket{le="2"}': 0,
    'keybrake_commit_entries_bucket{le="4"}': 1,
    keybrake_commit_failures_total: 1,
    'keybrake_connections{listener="main"}': 7,
    keybrake_calls_under_way: 4,
    keybrake_calls_at_vendors: 3,
    keybrake_ledger_queue: 2,
    keybrake_store_up: 1,
    keybrake_unresolved_calls: 3,
    keybrake_unresolved_usd: 29.99,
    keybrake_alerts_waiting: 2,
    keybrake_prices_waiting: 1,
    'keybrake_brakes_engaged{scope="vendor"}': 1,
    'keybrake_keys_near_cap{percent="80"}': 5,
    'keybrake_budget_used_ratio{budget="platform",cap="daily_usd_cap"}': 0.25,
    'keybrake_budget_members_near_cap{budget="per-tenant",cap="daily_usd_cap",percent="100"}': 1,
  });
  expect(types.get("keybrake_calls_total")).toBe("counter");
  expect(types.get("keybrake_hold_seconds")).toBe("histogram");
});

test("of a store that does no work nothing is shown but that", async () => {
  const { series } = readMetrics(
    await prometheusText(snapshot({ isStoreUp: false, store: undefined, capUse: undefined })),
  );
  expect(series.get("keybrake_store_up")).toBe(0);
  expect([...series.keys()].filter((at) => /unresolved|alerts|near_cap|frozen/.test(at))).toEqual([]);
});

test("buckets are cumulative and end in the count", async () => {
  const tallies = new Tallies(["stripe"]);
  for (const ms of [0.01, 0.3, 2, 2, 40, 9_000, 1e6]) tallies.waited({ fromMs: 0, toMs: ms });
  const { series } = readMetrics(await prometheusText(snapshot({ tallies })));
  const buckets = [...series].filter(([at]) => at.startsWith("keybrake_hold_seconds_bucket")).map(([, value]) => value);
  expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
  expect(buckets.at(-1)).toBe(7);
  expect(series.get("keybrake_hold_seconds_count")).toBe(7);
});

test("there are as many series after a million strange calls as before", async () => {
  const tallies = new Tallies(["stripe", "acme"]);
  const before = seriesPerMetric(readMetrics(await prometheusText(snapshot({ tallies }))));
  for (let call = 0; call < 1_000_000; call++) tallies.of(`x${call}"}\n# HELP`).call("allowed");
  const after = seriesPerMetric(readMetrics(await prometheusText(snapshot({ tallies }))));
  expect(after).toEqual(before);
});
