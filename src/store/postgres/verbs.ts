import type { SQL as Pool } from "bun";
import { KeyInserts } from "../key-inserts.ts";
import type { Store } from "../store.ts";
import { type OutcomesFound, outcomesByVendor, outcomesQuery } from "../vendor-outcomes.ts";
import { PostgresAlerts } from "./alerts.ts";
import { PostgresAudit } from "./audit.ts";
import { PostgresAuditChain } from "./audit-chain.ts";
import { PostgresAutoRevokes } from "./auto-revokes.ts";
import { PostgresChainKeys } from "./chain-keys.ts";
import { checkCounters } from "./check-counters.ts";
import { PostgresControl } from "./control.ts";
import { countersUnder } from "./counters-under.ts";
import { type Db, openDb } from "./db.ts";
import { freeze, frozenSince, thaw } from "./freeze.ts";
import { PostgresGauges } from "./gauges.ts";
import { PostgresKeys } from "./keys.ts";
import { rewrapSealed } from "./rewraps.ts";
import { PostgresSessions } from "./sessions.ts";
import { sumSpend } from "./spend.ts";
import type { Timeline } from "./timeline.ts";
import { claimReconciliation, dropReconciliation, dueReconciliations } from "./upkeep.ts";

/** What reads or writes single rows and waits for nobody: where this is silent, the database is away. */
export function quickVerbs(pool: Pool) {
  const db = openDb(pool);
  return { ...keyVerbs(new PostgresKeys(db)), ...controlVerbs(new PostgresControl(db), new PostgresSessions(db)) };
}

/** What goes over many rows, or waits for the ledger's lock: a revoke of 100,000 keys takes its time, and must not be given up. */
export function slowVerbs(pool: Pool, timeline: Timeline, chainKey: () => Uint8Array) {
  const db = openDb(pool);
  return {
    ...operatorVerbs(new PostgresKeys(db), new PostgresControl(db)),
    ...freezeVerbs(db, timeline),
    ...watchVerbs(pool),
    ...auditVerbs(db, pool, chainKey),
    ...rowVerbs(db, pool),
  };
}

function operatorVerbs(keys: PostgresKeys, control: PostgresControl) {
  return {
    listKeys: (filter) => keys.list(filter),
    updateKey: (id, change) => keys.update(id, change),
    revokeKeys: (selector, reason, at) => keys.revoke(selector, reason, at),
    keySpend: (id, at) => keys.spend(id, at),
    putVendor: (vendor) => control.putVendor(vendor),
    removeVendor: (name, at) => control.removeVendor(name, at),
    engageBrake: (brake) => control.engageBrake(brake),
    releaseBrake: (vendor, prefix, at) => control.releaseBrake(vendor, prefix, at),
    recordHardStop: (stop, at) => control.recordHardStop(stop, at),
  } satisfies Partial<Store>;
}

function freezeVerbs(db: Db, timeline: Timeline) {
  return {
    freeze: (why, at) => freeze(db, why, at),
    thaw: () => thaw(db, timeline),
    frozenSince: () => frozenSince(db, timeline),
  } satisfies Partial<Store>;
}

function rowVerbs(db: Db, pool: Pool) {
  return {
    vendorOutcomes: async (rows) => outcomesByVendor((await pool.unsafe(outcomesQuery(rows))) as OutcomesFound[]),
    countersUnder: (prefix, starts) => countersUnder(db, prefix, starts),
    checkCounters: () => checkCounters(db),
    rewrapSealed: (rewraps, at) => rewrapSealed(pool, rewraps, at),
    describe: () => describe(pool),
    dueReconciliations: (at, limit) => dueReconciliations(db, at, limit),
    claimReconciliation: (due, askAgainAt) => claimReconciliation(db, due, askAgainAt),
    dropReconciliation: (callId) => dropReconciliation(db, callId),
  } satisfies Partial<Store>;
}

function keyVerbs(keys: PostgresKeys) {
  const inserts = new KeyInserts((all) => keys.insertAll(all));
  return {
    findKeyByHash: (hash) => keys.findByHash(hash),
    getKey: (id) => keys.get(id),
    insertKey: (made, uniqueLabel) => inserts.insert(made, uniqueLabel),
  } satisfies Partial<Store>;
}

function controlVerbs(control: PostgresControl, sessions: PostgresSessions) {
  return {
    renewLease: (lease) => control.renewLease(lease),
    probeWrite: (at) => control.renewLease({ owner: "probe", until: at }),
    listVendors: () => control.listVendors(),
    listBrakes: () => control.listBrakes(),
    hardStopsSince: (seq) => control.hardStopsSince(seq),
    insertToken: (token) => control.insertToken(token),
    findTokenByHash: (hash) => control.findToken(hash),
    listTokens: () => control.listTokens(),
    revokeToken: (id, at) => control.revokeToken(id, at),
    rememberAnswer: (scope, name, answer, at) => control.remember(scope, name, answer, at),
    recallAnswer: (scope, name, at) => control.recall(scope, name, at),
    insertSession: (session, perTokenMax) => sessions.insert(session, perTokenMax),
    findSession: (idHash, at) => sessions.find(idHash, at),
    endSession: (idHash) => sessions.end(idHash),
    countUnknownKey: (at, count) => control.countUnknownKey(at, count),
  } satisfies Partial<Store>;
}

/** What looks at the rows and counters beside the calls: alerts, `auto_revoke`, metrics. */
function watchVerbs(pool: Pool) {
  const [alerts, revokes, gauges] = [new PostgresAlerts(pool), new PostgresAutoRevokes(pool), new PostgresGauges(pool)];
  return {
    readAlertSlice: (rowsMax) => alerts.readAlertSlice(rowsMax),
    finishAlertSlice: (slice, found) => alerts.finishAlertSlice(slice, found),
    alertTallies: (kind, subject, from) => alerts.alertTallies(kind, subject, from),
    counterUse: (budgetId, windowStart) => alerts.counterUse(budgetId, windowStart),
    untoldActs: (limit) => alerts.untoldActs(limit),
    tellActs: (acts, news) => alerts.tellActs(acts, news),
    queueAlert: (news) => alerts.queueAlert(news),
    takeDelivery: (target, at, until) => alerts.takeDelivery(target, at, until),
    endDelivery: (delivery, end) => alerts.endDelivery(delivery, end),
    listDeliveries: (limit) => alerts.listDeliveries(limit),
    purgeAlerts: (before) => alerts.purgeAlerts(before),
    readRevokeSlice: (rowsMax, at) => revokes.readRevokeSlice(rowsMax, at),
    finishRevokeSlice: (slice, findings) => revokes.finishRevokeSlice(slice, findings),
    purgeRevokeTallies: (before) => revokes.purgeRevokeTallies(before),
    gauges: (at) => gauges.gauges(at),
    activePolicies: (before, limit, at) => gauges.activePolicies(before, limit, at),
    counterUses: (places, at) => gauges.counterUses(places, at),
    counterPage: (prefix, starts, after, limit) => gauges.counterPage(prefix, starts, after, limit),
  } satisfies Partial<Store>;
}

function auditVerbs(db: Db, pool: Pool, chainKey: () => Uint8Array) {
  const [audit, chain, chainKeys] = [
    new PostgresAudit(db),
    new PostgresAuditChain(pool, chainKey),
    new PostgresChainKeys(db),
  ];
  return {
    queryAudit: (filter, page) => audit.query(filter, page),
    auditTotals: (filter) => audit.totals(filter),
    // The rows speak for themselves, so there is nothing to keep up and nothing that could be wrong.
    addUpSpend: () => Promise.resolve(ADDED_UP),
    spendProgress: () => Promise.resolve(ADDED_UP),
    sumSpend: (query) => sumSpend(pool, query),
    checkSpend: () => Promise.resolve([]),
    chainKey: () => chainKeys.get(),
    putChainKey: (made, replacedId) => chainKeys.put(made, replacedId),
    chainState: () => chain.state(),
    chainRows: (place, limit) => chain.rows(place, limit),
    chainRowsAt: (seqs) => chain.rowsAt(seqs),
    findChainRows: (search) => chain.find(search),
    recentChainHash: (chainSeq, rowsMax) => chain.recentHash(chainSeq, rowsMax),
    isResolved: (callId) => chain.isResolved(callId),
    auditSegments: () => chain.segments(),
    pruneAudit: (rows, rowsPerSegmentMax, at) => chain.prune(rows, rowsPerSegmentMax, at),
  } satisfies Partial<Store>;
}

const ADDED_UP = { done: 0, left: 0 };

async function describe(pool: Pool): Promise<Record<string, string | number>> {
  const [row] = (await pool.unsafe(
    `SELECT current_setting('server_version') AS server_version, current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('fsync') AS fsync, (SELECT count(*) FROM migrations) AS schema_version,
       pg_database_size(current_database()) AS bytes, (SELECT count(*) FROM vault_keys) AS keys,
       (SELECT count(*) FROM audit_rows WHERE refers_to IS NULL) + (SELECT count(*) FROM calls_in_flight) AS calls,
       (SELECT coalesce(sum(calls), 0)::int8 FROM unknown_key_calls) AS unknown_key_calls`,
  )) as [Record<string, string | bigint>];
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value]),
  );
}
