import type { Database } from "bun:sqlite";
import { drizzle } from "drizzle-orm/bun-sqlite";
import type { ChainSource } from "../../audit/chained-row.ts";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import type { AlertQueue } from "../alert-queue.ts";
import type { AutoRevokes } from "../auto-revokes.ts";
import type { CounterReads } from "../counter-reads.ts";
import type { GaugeReads } from "../gauge-reads.ts";
import { KeyInserts } from "../key-inserts.ts";
import type { SessionVerbs } from "../sessions.ts";
import type { SpendStore } from "../spend.ts";
import type { Store } from "../store.ts";
import { type OutcomesFound, outcomesByVendor, outcomesQuery } from "../vendor-outcomes.ts";
import { SqliteAlerts } from "./alerts.ts";
import { SqliteAudit } from "./audit.ts";
import { SqliteAuditChain } from "./audit-chain.ts";
import { AuditSegments } from "./audit-segments.ts";
import { SqliteAutoRevokes } from "./auto-revokes.ts";
import { backupTo, freeze, frozenSince, thaw } from "./backup.ts";
import { ChainKeys } from "./chain-keys.ts";
import { checkCounters } from "./check-counters.ts";
import { SqliteControl } from "./control.ts";
import { countersUnder } from "./counters-under.ts";
import { closeDatabase, migrate, openDatabase, waitAwake } from "./database.ts";
import { SqliteGauges } from "./gauges.ts";
import { SqliteKeys } from "./keys.ts";
import { SqliteLedger } from "./ledger.ts";
import { dueReconciliation, prepareReconciliations } from "./reconciliations.ts";
import { rewrapSealed } from "./rewraps.ts";
import { SqliteSessions } from "./sessions.ts";
import { SqliteSpend } from "./spend.ts";

/**
 * The embedded store. bun:sqlite is synchronous, so every verb has done its work when its promise is made; `attempt`
 * turns what the driver throws into the one error that callers handle.
 * @param path the database file; it and its WAL are made with the process's umask (0600).
 */
export function openSqliteStore(path: string, now: EpochMs): Store {
  const database = openDatabase(path);
  try {
    migrate(database, path, now);
    const store = storeVerbs(database);
    // Only from here on: what has been read and prepared so far is not tried again.
    waitAwake(database);
    return store;
  } catch (cause) {
    database.close();
    throw unavailable(cause);
  }
}

function storeVerbs(database: Database): Store {
  const db = drizzle(database);
  let chainKey: Uint8Array = new Uint8Array(0);
  const ledger = new SqliteLedger(database, () => chainKey);
  const chainKeys = new ChainKeys(database);
  const spend = new SqliteSpend(database);
  const segments = new AuditSegments(database, () => chainKey, spend.sums);
  const [keys, control, audit] = [new SqliteKeys(db), new SqliteControl(db), new SqliteAudit(db)];
  const keyInserts = new KeyInserts((all) => keys.insertAll(all));
  return {
    kind: "sqlite",
    apply: (entries, at) => attempt(() => ledger.apply(entries, at)),
    renewLease: (lease) => attempt(() => control.renewLease(lease)),
    sweepAbandonedHolds: (at) => attempt(() => ledger.sweepAbandoned(at)),
    purgeRecordedCalls: (at) => attempt(() => ledger.purgeRecords(at)),
    standing: (keyId, objectName, at, slotNames = []) =>
      attempt(() => ledger.standing(keyId, objectName, at, slotNames)),
    reconcile: (request) => attempt(() => ledger.reconcile(request)),
    ...reconciliationVerbs(database),
    findKeyByHash: (hash) => attempt(() => keys.findByHash(hash)),
    getKey: (id) => attempt(() => keys.get(id)),
    listKeys: (filter) => attempt(() => keys.list(filter)),
    insertKey: (key, uniqueLabel) => attempt(() => keyInserts.insert(key, uniqueLabel)),
    updateKey: (id, change) => attempt(() => keys.update(id, change)),
    revokeKeys: (selector, reason, at) => attempt(() => keys.revoke(selector, reason, at)),
    keySpend: (id, now) => attempt(() => keys.spend(id, now)),
    vendorOutcomes: (rows) =>
      attempt(() => outcomesByVendor(database.query<OutcomesFound, []>(outcomesQuery(rows)).all())),
    listVendors: () => attempt(() => control.listVendors()),
    putVendor: (vendor) => attempt(() => control.putVendor(vendor)),
    removeVendor: (name, at) => attempt(() => control.removeVendor(name, at)),
    engageBrake: (brake) => attempt(() => control.engageBrake(brake)),
    releaseBrake: (vendor, prefix, at) => attempt(() => control.releaseBrake(vendor, prefix, at)),
    listBrakes: () => attempt(() => control.listBrakes()),
    recordHardStop: (stop, at) => attempt(() => control.recordHardStop(stop, at)),
    hardStopsSince: (seq) => attempt(() => control.hardStopsSince(seq)),
    ...controlPlaneVerbs(control, new SqliteSessions(db)),
    ...alertVerbs(new SqliteAlerts(database), new SqliteAutoRevokes(database)),
    ...counterVerbs(database),
    ...spendVerbs(spend),
    queryAudit: (filter, page) => attempt(() => audit.query(filter, page)),
    auditTotals: (filter) => attempt(() => audit.totals(filter)),
    countUnknownKey: (at, count) => attempt(() => control.countUnknownKey(at, count)),
    chainKey: () => attempt(() => chainKeys.get()),
    putChainKey: (made, replacedId) => attempt(() => chainKeys.put(made, replacedId)),
    useChainKey: (key) => {
      chainKey = key;
    },
    ...chainVerbs(new SqliteAuditChain(database, segments)),
    pruneAudit: (rows, rowsPerSegmentMax, at) => attempt(() => segments.prune(rows, rowsPerSegmentMax, at)),
    checkCounters: () => attempt(() => checkCounters(db)),
    backup: (target, at, overwrite) => attempt(() => backupTo(database, target, at, overwrite)),
    freeze: (why, at) => attempt(() => freeze(database, why, at)),
    rewrapSealed: (rewraps, at) => attempt(() => rewrapSealed(database, rewraps, at)),
    thaw: () => attempt(() => thaw(database)),
    frozenSince: () => attempt(() => frozenSince(database)),
    probeWrite: (at) => attempt(() => control.renewLease({ owner: "probe", until: at })),
    describe: () => attempt(() => describe(database)),
    close: () => attempt(() => spend.close().then(() => closeDatabase(database))),
  };
}

function controlPlaneVerbs(
  control: SqliteControl,
  sessions: SqliteSessions,
): Pick<Store, "insertToken" | "findTokenByHash" | "listTokens" | "revokeToken" | "rememberAnswer" | "recallAnswer"> &
  SessionVerbs {
  return {
    insertSession: (session, perTokenMax) => attempt(() => sessions.insert(session, perTokenMax)),
    findSession: (idHash, at) => attempt(() => sessions.find(idHash, at)),
    endSession: (idHash) => attempt(() => sessions.end(idHash)),
    insertToken: (token) => attempt(() => control.insertToken(token)),
    findTokenByHash: (hash) => attempt(() => control.findToken(hash)),
    listTokens: () => attempt(() => control.listTokens()),
    revokeToken: (id, at) => attempt(() => control.revokeToken(id, at)),
    rememberAnswer: (scope, key, answer, at) => attempt(() => control.remember(scope, key, answer, at)),
    recallAnswer: (scope, key, at) => attempt(() => control.recall(scope, key, at)),
  };
}

function alertVerbs(alerts: SqliteAlerts, autoRevokes: SqliteAutoRevokes): AlertQueue & AutoRevokes {
  return {
    readAlertSlice: (rowsMax) => attempt(() => alerts.readSlice(rowsMax)),
    finishAlertSlice: (slice, found) => attempt(() => alerts.finishSlice(slice, found)),
    alertTallies: (kind, subject, from) => attempt(() => alerts.tallies(kind, subject, from)),
    counterUse: (budgetId, windowStart) => attempt(() => alerts.counterUse(budgetId, windowStart)),
    untoldActs: (limit) => attempt(() => alerts.untoldActs(limit)),
    tellActs: (acts, news) => attempt(() => alerts.tellActs(acts, news)),
    queueAlert: (news) => attempt(() => alerts.queue(news)),
    takeDelivery: (target, at, until) => attempt(() => alerts.take(target, at, until)),
    endDelivery: (delivery, end) => attempt(() => alerts.end(delivery, end)),
    listDeliveries: (limit) => attempt(() => alerts.list(limit)),
    purgeAlerts: (before) => attempt(() => alerts.purge(before)),
    readRevokeSlice: (rowsMax, at) => attempt(() => autoRevokes.readSlice(rowsMax, at)),
    finishRevokeSlice: (slice, findings) => attempt(() => autoRevokes.finishSlice(slice, findings)),
    purgeRevokeTallies: (before) => attempt(() => autoRevokes.purge(before)),
  };
}

function counterVerbs(database: Database): CounterReads & GaugeReads {
  const gauges = new SqliteGauges(database);
  return {
    countersUnder: (prefix, starts) => attempt(() => countersUnder(database, prefix, starts)),
    gauges: (at) => attempt(() => gauges.gauges(at)),
    activePolicies: (before, limit, at) => attempt(() => gauges.activePolicies(before, limit, at)),
    counterUses: (places, at) => attempt(() => gauges.counterUses(places, at)),
    counterPage: (prefix, starts, after, limit) => attempt(() => gauges.counterPage(prefix, starts, after, limit)),
  };
}

function chainVerbs(
  chain: SqliteAuditChain,
): ChainSource & Pick<Store, "chainRowsAt" | "recentChainHash" | "isResolved"> {
  return {
    chainState: () => attempt(() => chain.state()),
    chainRows: (place, limit) => attempt(() => chain.rows(place, limit)),
    chainRowsAt: (seqs) => attempt(() => chain.rowsAt(seqs)),
    findChainRows: (search) => attempt(() => chain.find(search)),
    recentChainHash: (chainSeq, rowsMax) => attempt(() => chain.recentHash(chainSeq, rowsMax)),
    isResolved: (callId) => attempt(() => chain.isResolved(callId)),
    auditSegments: () => attempt(() => chain.segments()),
  };
}

function spendVerbs(spend: SqliteSpend): SpendStore {
  const { sums, reader } = spend;
  return {
    addUpSpend: (rowsMax) => attempt(() => sums.addUp(rowsMax)),
    spendProgress: () => attempt(() => sums.progress()),
    sumSpend: (query, onRows) => attempt(() => reader.sum(query, onRows)),
    checkSpend: () => attempt(() => spend.check()),
  };
}

function reconciliationVerbs(
  database: Database,
): Pick<Store, "dueReconciliations" | "claimReconciliation" | "dropReconciliation"> {
  const statements = prepareReconciliations(database);
  return {
    dueReconciliations: (at, limit) => attempt(() => statements.due.all(at, limit).map(dueReconciliation)),
    claimReconciliation: ({ callId, attempts }, askAgainAt) =>
      attempt(() => statements.claim.run(askAgainAt, callId, attempts).changes > 0),
    dropReconciliation: (callId) => attempt(() => void statements.remove.run(callId)),
  };
}

/** How long a verb waits for another process's transaction before the call is refused. */
const LOCK_WAIT_MS = 900;
/** How often it looks again with the next turn of the event loop, as long as a batch of another server takes; then every millisecond. */
const TURNS_MAX = 200;

/**
 * Another process's transaction is waited for awake. SQLite itself would sleep, and this thread would answer nobody
 * meanwhile. Every verb is one statement or one transaction that takes the write lock first: one that does not get it has
 * done nothing, and can begin anew.
 */
async function attempt<T>(verb: () => T | Promise<T>): Promise<T> {
  let isLate = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for (let tries = 1; ; tries++) {
      try {
        return await verb();
      } catch (cause) {
        if (!isLocked(cause) || isLate) throw unavailable(cause);
      }
      timer ??= setTimeout(() => {
        isLate = true;
      }, LOCK_WAIT_MS);
      await new Promise<void>((again) => (tries < TURNS_MAX ? setImmediate(again) : setTimeout(again, 1)));
    }
  } finally {
    clearTimeout(timer);
  }
}

function isLocked(cause: unknown): boolean {
  return isDriverError(cause) && String((cause as { code?: unknown }).code).startsWith("SQLITE_BUSY");
}

/** What callers handle in place of what the driver throws. */
export function unavailable(cause: unknown): Error {
  if (cause instanceof Problem) return cause;
  if (!isDriverError(cause)) return cause instanceof Error ? cause : new Error(String(cause));
  return new Problem(
    "unavailable",
    `the store cannot be used: ${cause.message}`,
    "check free disk space and the data directory's permissions; `keybrake doctor` says more",
  );
}

/** What bun:sqlite says of a database that has been closed, from a prepared statement and from a new one. */
const CLOSED_MESSAGES = ["Database has closed", "Cannot use a closed database"];

function isDriverError(cause: unknown): cause is Error {
  if (!(cause instanceof Error)) return false;
  return cause.name === "SQLiteError" || CLOSED_MESSAGES.includes(cause.message);
}

function describe(database: Database): Record<string, string | number> {
  const one = (text: string) => Object.values(database.query(text).get() as Record<string, unknown>)[0];
  return {
    sqlite_version: String(one("SELECT sqlite_version()")),
    journal_mode: String(one("PRAGMA journal_mode")),
    synchronous: String(one("PRAGMA synchronous")),
    schema_version: Number(one("SELECT count(*) FROM migrations")),
    bytes: Number(one("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")),
    quick_check: String(one("PRAGMA quick_check")),
    keys: Number(one("SELECT count(*) FROM vault_keys")),
    calls: Number(
      one("SELECT (SELECT count(*) FROM audit_rows WHERE refers_to IS NULL) + (SELECT count(*) FROM calls_in_flight)"),
    ),
    unknown_key_calls: Number(one("SELECT coalesce(sum(calls), 0) FROM unknown_key_calls")),
  };
}
