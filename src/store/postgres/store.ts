import type { SQL as Pool } from "bun";
import type { Clock } from "../../core/clock.ts";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import { KeyInserts } from "../key-inserts.ts";
import type { OpenedStore } from "../open.ts";
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
import { DatabaseClock } from "./database-clock.ts";
import { type Db, openDb } from "./db.ts";
import { freeze, frozenSince, thaw } from "./freeze.ts";
import { PostgresGauges } from "./gauges.ts";
import { guarded, unavailable } from "./guard.ts";
import { PostgresKeys } from "./keys.ts";
import { PostgresLedger } from "./ledger.ts";
import { stateStatements } from "./ledger-statements.ts";
import { migrate, schemaOf } from "./migrate.ts";
import { LEDGER_CONNECTIONS, OTHER_CONNECTIONS, openPool } from "./pool.ts";
import { rewrapSealed } from "./rewraps.ts";
import { PostgresSessions } from "./sessions.ts";
import { sumSpend } from "./spend.ts";
import { readTimeline, type Timeline } from "./timeline.ts";
import { claimReconciliation, dropReconciliation, dueReconciliations, isAnyRollingDue, purge } from "./upkeep.ts";

export interface PostgresOptions {
  readonly clock: Clock;
  /** How long a connection may stay silent before it counts as lost, in milliseconds. */
  readonly timeoutMs?: number;
  /** `caller` lets tests set the time; everywhere else the database's clock is the only one that counts. */
  readonly time?: "database" | "caller";
  /** Whether a database of an earlier release is brought up to date; a new one always is. */
  readonly migrates?: boolean;
  /** Whether a server that may lose what it has committed is taken; in tests that do not depend on it. */
  readonly mayForget?: boolean;
}

/** A call is refused within about a second where the database does not answer. */
const TIMEOUT_MS = 1_000;

/**
 * The store that several replicas share.
 * @throws Problem where the schema is of another release, or the server is not set to keep what it has committed.
 */
export async function openPostgresStore(url: string, options: PostgresOptions): Promise<OpenedStore> {
  const { clock: own, timeoutMs = TIMEOUT_MS, time = "database", migrates = false, mayForget = false } = options;
  const ledgerPool = openPool(url, LEDGER_CONNECTIONS);
  const pool = openPool(url, OTHER_CONNECTIONS);
  try {
    if (!mayForget) await assertDurable(pool);
    await prepareSchema(pool, own.now(), migrates);
    const timeline = await readTimeline(pool);
    const databaseClock = time === "database" ? await DatabaseClock.open(pool, own) : undefined;
    const ledgerClock = (at: EpochMs) => (databaseClock ? null : at);
    const elapsed = () => own.elapsed();
    const parts = { pool, ledgerPool, timeoutMs, timeline, databaseClock, ledgerClock, elapsed };
    return { store: guarded(verbs(parts), timeoutMs), clock: databaseClock ?? own };
  } catch (cause) {
    await Promise.all([ledgerPool.close({ timeout: 0 }), pool.close({ timeout: 0 })]);
    throw unavailable(cause);
  }
}

/** A commit that the server may forget would be money that nobody counts. */
async function assertDurable(pool: Pool): Promise<void> {
  for (const name of ["fsync", "full_page_writes", "synchronous_commit"]) {
    const [row] = (await pool.unsafe("SELECT current_setting($1) AS value", [name])) as [{ value: string }];
    if (row.value !== "off") continue;
    throw new Problem(
      "unavailable",
      `PostgreSQL has ${name} = off, and may lose what it has committed`,
      `set ${name} = on for this server (ALTER SYSTEM SET ${name} = on), and for the role that keybrake uses`,
    );
  }
}

/** A new database gets its schema. One that is there is migrated by `keybrake migrate`, when all replicas can bear it. */
async function prepareSchema(pool: Pool, now: EpochMs, migrates: boolean): Promise<void> {
  const { applied, pending } = await schemaOf(pool);
  if (pending.length === 0) return;
  if (applied === 0 || migrates) return migrate(pool, now);
  throw new Problem(
    "unavailable",
    `the database's schema is of an earlier release: ${pending.map(({ name }) => name).join(", ")} to be run`,
    "stop the replicas of the earlier release, then run `keybrake migrate` once",
  );
}

interface Parts {
  readonly pool: Pool;
  readonly ledgerPool: Pool;
  readonly timeoutMs: number;
  readonly timeline: Timeline;
  readonly databaseClock: DatabaseClock | undefined;
  readonly ledgerClock: (now: EpochMs) => EpochMs | null;
  readonly elapsed: () => number;
}

function verbs(parts: Parts): Store {
  const { pool, ledgerPool, timeline, databaseClock } = parts;
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
    vendorOutcomes: async (rows) => outcomesByVendor((await pool.unsafe(outcomesQuery(rows))) as OutcomesFound[]),
    countersUnder: (prefix, starts) => countersUnder(db, prefix, starts),
    checkCounters: () => checkCounters(db),
    backup: () => Promise.reject(noBackup()),
    rewrapSealed: (rewraps, at) => rewrapSealed(pool, rewraps, at),
    freeze: (why, at) => freeze(db, why, at),
    thaw: () => thaw(db, timeline),
    frozenSince: () => frozenSince(db, timeline),
    describe: () => describe(pool),
    close: async () => {
      databaseClock?.close();
      await Promise.all([ledgerPool.close({ timeout: 1 }), pool.close({ timeout: 1 })]);
    },
  };
}

function ledgerVerbs(
  db: Db,
  { ledgerPool, timeoutMs, timeline, ledgerClock: clock, elapsed }: Parts,
  chainKey: () => Uint8Array,
) {
  const ledger = new PostgresLedger({
    pool: ledgerPool,
    timeoutMs,
    chainKey,
    clock,
    elapsed,
    state: stateStatements(timeline.frozen),
  });
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
