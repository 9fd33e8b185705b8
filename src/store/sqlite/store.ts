import type { Database } from "bun:sqlite";
import { sql } from "drizzle-orm";
import { type BunSQLiteDatabase, drizzle } from "drizzle-orm/bun-sqlite";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import type { CounterMismatch, Store } from "../store.ts";
import { SqliteAudit } from "./audit.ts";
import { SqliteControl } from "./control.ts";
import { closeDatabase, migrate, openDatabase } from "./database.ts";
import { SqliteKeys } from "./keys.ts";
import { SqliteLedger } from "./ledger.ts";

/**
 * The embedded store. bun:sqlite is synchronous, so every verb has done its work when its promise is made; `attempt`
 * turns what the driver throws into the one error that callers handle.
 * @param path the database file; it and its WAL are made with the process's umask (0600).
 */
export function openSqliteStore(path: string, now: EpochMs): Store {
  const database = openDatabase(path);
  try {
    migrate(database, path, now);
  } catch (cause) {
    database.close();
    throw unavailable(cause);
  }
  const db = drizzle(database);
  const ledger = new SqliteLedger(database);
  const keys = new SqliteKeys(db);
  const control = new SqliteControl(db);
  const audit = new SqliteAudit(db);
  return {
    kind: "sqlite",
    apply: (entries, at) => attempt(() => ledger.apply(entries, at)),
    renewLease: (lease) => attempt(() => control.renewLease(lease)),
    sweepAbandonedHolds: (at) => attempt(() => ledger.sweepAbandoned(at)),
    findKeyByHash: (hash) => attempt(() => keys.findByHash(hash)),
    getKey: (id) => attempt(() => keys.get(id)),
    listKeys: (filter) => attempt(() => keys.list(filter)),
    insertKey: (key, uniqueLabel) => attempt(() => keys.insert(key, uniqueLabel)),
    updateKey: (id, change) => attempt(() => keys.update(id, change)),
    revokeKeys: (selector, reason, at) => attempt(() => keys.revoke(selector, reason, at)),
    keySpend: (id) => attempt(() => keys.spend(id)),
    listVendors: () => attempt(() => control.listVendors()),
    putVendor: (vendor) => attempt(() => control.putVendor(vendor)),
    removeVendor: (name, at) => attempt(() => control.removeVendor(name, at)),
    engageBrake: (brake) => attempt(() => control.engageBrake(brake)),
    releaseBrake: (vendor, prefix, at) => attempt(() => control.releaseBrake(vendor, prefix, at)),
    listBrakes: () => attempt(() => control.listBrakes()),
    recordHardStop: (stop, at) => attempt(() => control.recordHardStop(stop, at)),
    hardStopsSince: (seq) => attempt(() => control.hardStopsSince(seq)),
    insertToken: (token) => attempt(() => control.insertToken(token)),
    findTokenByHash: (hash) => attempt(() => control.findToken(hash)),
    listTokens: () => attempt(() => control.listTokens()),
    revokeToken: (id, at) => attempt(() => control.revokeToken(id, at)),
    rememberAnswer: (scope, key, answer, at) => attempt(() => control.remember(scope, key, answer, at)),
    recallAnswer: (scope, key, at) => attempt(() => control.recall(scope, key, at)),
    queryAudit: (filter, page) => attempt(() => audit.query(filter, page)),
    auditTotals: (filter) => attempt(() => audit.totals(filter)),
    countUnknownKey: (at, count) => attempt(() => control.countUnknownKey(at, count)),
    checkCounters: () => attempt(() => checkCounters(db)),
    probeWrite: (at) => attempt(() => control.renewLease({ owner: "probe", until: at })),
    describe: () => attempt(() => describe(database)),
    close: () => attempt(() => closeDatabase(database)),
  };
}

async function attempt<T>(verb: () => T | Promise<T>): Promise<T> {
  try {
    return await verb();
  } catch (cause) {
    throw unavailable(cause);
  }
}

function unavailable(cause: unknown): Error {
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

/** Every counter beside the sum of what its calls hold or cost, recomputed from the rows. */
function checkCounters(db: BunSQLiteDatabase): readonly CounterMismatch[] {
  const rows = db.all<[string, bigint, bigint, bigint]>(sql`
    WITH charged AS (
      SELECT json_extract(charge.value, '$[0]') AS budget_id,
             json_extract(charge.value, '$[1]') AS window_start,
             CASE
               WHEN state = 'released' THEN 0
               WHEN state = 'settled' AND json_extract(charge.value, '$[2]') = 'usd' THEN cost_micros
               ELSE CAST(json_extract(charge.value, '$[3]') AS INTEGER)
             END AS amount
      FROM audit_rows, json_each(audit_rows.charges) AS charge
      WHERE charges IS NOT NULL
    ), summed AS (
      SELECT budget_id, window_start, sum(amount) AS amount FROM charged GROUP BY budget_id, window_start
    )
    SELECT coalesce(counters.budget_id, summed.budget_id) AS budget_id,
           coalesce(counters.window_start, summed.window_start) AS window_start,
           coalesce(counters.used, 0) AS counter,
           coalesce(summed.amount, 0) AS amount
    FROM counters FULL OUTER JOIN summed
      ON counters.budget_id = summed.budget_id AND counters.window_start = summed.window_start
    WHERE coalesce(counters.used, 0) <> coalesce(summed.amount, 0)
  `) as unknown as { budget_id: string; window_start: bigint; counter: bigint; amount: bigint }[];
  return rows.map((row) => ({
    budgetId: row.budget_id,
    windowStart: Number(row.window_start),
    counter: row.counter,
    rows: row.amount,
  }));
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
    calls: Number(one("SELECT count(*) FROM audit_rows")),
    unknown_key_calls: Number(one("SELECT coalesce(sum(calls), 0) FROM unknown_key_calls")),
  };
}
