import type { SQL as Pool } from "bun";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import { KeyInserts } from "../key-inserts.ts";
import type { Store } from "../store.ts";
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
import { PostgresLedger } from "./ledger.ts";
import { LinkLost } from "./link.ts";
import { migrate } from "./migrate.ts";
import { LEDGER_CONNECTIONS, OTHER_CONNECTIONS, openPool } from "./pool.ts";
import { PostgresSessions } from "./sessions.ts";
import { sumSpend } from "./spend.ts";
import { claimReconciliation, dropReconciliation, dueReconciliations, isAnyRollingDue, purge } from "./upkeep.ts";

export interface PostgresOptions {
  /** How long a connection may stay silent before it counts as lost, in milliseconds. */
  readonly timeoutMs: number;
  /** `caller` lets tests set the time; everywhere else the database's clock is the only one that counts. */
  readonly clock: "database" | "caller";
}

const DEFAULTS: PostgresOptions = { timeoutMs: 5_000, clock: "database" };

/** The store that several replicas share. */
export async function openPostgresStore(
  url: string,
  now: EpochMs,
  options: Partial<PostgresOptions> = {},
): Promise<Store> {
  const { timeoutMs, clock } = { ...DEFAULTS, ...options };
  const ledgerPool = openPool(url, LEDGER_CONNECTIONS);
  const pool = openPool(url, OTHER_CONNECTIONS);
  try {
    await migrate(pool, now);
  } catch (cause) {
    await Promise.all([ledgerPool.close({ timeout: 0 }), pool.close({ timeout: 0 })]);
    throw unavailable(cause);
  }
  const ledgerClock = (at: EpochMs) => (clock === "caller" ? at : null);
  return guarded(verbs({ pool, ledgerPool, timeoutMs, clock: ledgerClock }), timeoutMs);
}

interface Parts {
  readonly pool: Pool;
  readonly ledgerPool: Pool;
  readonly timeoutMs: number;
  readonly clock: (now: EpochMs) => EpochMs | null;
}

function verbs(parts: Parts): Store {
  const { pool, ledgerPool } = parts;
  let key: Uint8Array = new Uint8Array(0);
  const chainKey = () => key;
  const db = openDb(pool);
  return {
    kind: "postgres",
    ...ledgerVerbs(db, parts, chainKey),
    ...keyVerbs(new PostgresKeys(db)),
    ...controlVerbs(new PostgresControl(db), new PostgresSessions(db)),
    ...watchVerbs(pool),
    ...auditVerbs(db, pool, chainKey),
    useChainKey: (used) => {
      key = used;
    },
    countersUnder: (prefix, starts) => countersUnder(db, prefix, starts),
    checkCounters: () => checkCounters(db),
    backup: () => Promise.reject(noBackup()),
    freeze: (why, at) => freeze(db, why, at),
    thaw: () => thaw(db),
    frozenSince: () => frozenSince(db),
    describe: () => describe(pool),
    close: async () => {
      await Promise.all([ledgerPool.close({ timeout: 1 }), pool.close({ timeout: 1 })]);
    },
  };
}

function ledgerVerbs(db: Db, { ledgerPool, timeoutMs, clock }: Parts, chainKey: () => Uint8Array) {
  const ledger = new PostgresLedger({ pool: ledgerPool, timeoutMs, chainKey, clock });
  return {
    apply: (entries, at) => ledger.apply(entries, at),
    sweepAbandonedHolds: (at) => ledger.sweepAbandoned(at),
    purgeRecordedCalls: async (at) => {
      const purged = await purge(db, at);
      return (await isAnyRollingDue(db, at)) ? purged + (await ledger.expireRolling(at)) : purged;
    },
    standing: (keyId, objectName, at, slotNames = []) => ledger.standing(keyId, objectName, at, slotNames),
    reconcile: (request) => ledger.reconcile(request),
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
    listKeys: (filter) => keys.list(filter),
    insertKey: (made, uniqueLabel) => inserts.insert(made, uniqueLabel),
    updateKey: (id, change) => keys.update(id, change),
    revokeKeys: (selector, reason, at) => keys.revoke(selector, reason, at),
    keySpend: (id, at) => keys.spend(id, at),
  } satisfies Partial<Store>;
}

function controlVerbs(control: PostgresControl, sessions: PostgresSessions) {
  return {
    renewLease: (lease) => control.renewLease(lease),
    probeWrite: (at) => control.renewLease({ owner: "probe", until: at }),
    listVendors: () => control.listVendors(),
    putVendor: (vendor) => control.putVendor(vendor),
    removeVendor: (name, at) => control.removeVendor(name, at),
    engageBrake: (brake) => control.engageBrake(brake),
    releaseBrake: (vendor, prefix, at) => control.releaseBrake(vendor, prefix, at),
    listBrakes: () => control.listBrakes(),
    recordHardStop: (stop, at) => control.recordHardStop(stop, at),
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

function noBackup(): Problem {
  return new Problem(
    "usage",
    "keybrake backup copies a SQLite store; this one is PostgreSQL's",
    "use the backups of your PostgreSQL (pg_dump, or its archive); after a restore run `keybrake restore confirm`",
  );
}

/** The same verbs, each with a bound on how long it may take and with the one error that callers handle. */
function guarded(store: Store, timeoutMs: number): Store {
  const entries = Object.entries(store).map(([name, verb]) => {
    if (typeof verb !== "function" || name === "useChainKey") return [name, verb] as const;
    return [
      name,
      (...args: unknown[]) => attempt(() => Reflect.apply(verb, store, args) as Promise<unknown>, timeoutMs),
    ] as const;
  });
  return Object.fromEntries(entries) as unknown as Store;
}

/** Reports over many rows take longer than a call may wait. */
const PATIENCE = 12;

async function attempt<T>(verb: () => Promise<T>, timeoutMs: number): Promise<T> {
  let timer: Timer | undefined;
  const silence = new Promise<never>((_, failed) => {
    timer = setTimeout(() => failed(new LinkLost("the database did not answer")), PATIENCE * timeoutMs);
  });
  try {
    return await Promise.race([verb(), silence]);
  } catch (cause) {
    throw unavailable(cause);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(cause: unknown): Error {
  if (cause instanceof Problem) return cause;
  const driver = driverError(cause);
  if (!driver) return cause instanceof Error ? cause : new Error(String(cause));
  return new Problem(
    "unavailable",
    `the store cannot be used: ${driver.message}`,
    "check that PostgreSQL runs and that this machine reaches it; `keybrake doctor` says more",
  );
}

/** What the driver has thrown, also where Drizzle has put a query around it. */
function driverError(cause: unknown): Error | undefined {
  if (!(cause instanceof Error)) return undefined;
  const { code } = cause as { readonly code?: unknown };
  if (cause instanceof LinkLost || (typeof code === "string" && code.startsWith("ERR_POSTGRES"))) return cause;
  return driverError(cause.cause);
}

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
