import type { SQL as Pool } from "bun";
import type { Clock } from "../../core/clock.ts";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import type { OpenedStore } from "../open.ts";
import type { Store } from "../store.ts";
import { DatabaseClock } from "./database-clock.ts";
import { openDb } from "./db.ts";
import { guarded, unavailable } from "./guard.ts";
import { PostgresLedger } from "./ledger.ts";
import { stateStatements } from "./ledger-statements.ts";
import { migrate, schemaOf } from "./migrate.ts";
import { connectTimeoutMsOf, LEDGER_CONNECTIONS, openPool, QUICK_CONNECTIONS, SLOW_CONNECTIONS } from "./pool.ts";
import { RenewablePool, verbsOver } from "./renewable-pool.ts";
import { readTimeline, type Timeline } from "./timeline.ts";
import { isAnyRollingDue, purge } from "./upkeep.ts";
import { quickVerbs, slowVerbs } from "./verbs.ts";

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
/** As often as that: what a call waits for, and what goes over many rows or waits for the ledger's lock. */
const QUICK_PATIENCE = 3;
const SLOW_PATIENCE = 60;

/**
 * The store that several replicas share.
 * @throws Problem where the schema is of another release, or the server is not set to keep what it has committed.
 */
export async function openPostgresStore(url: string, options: PostgresOptions): Promise<OpenedStore> {
  const { clock: own, timeoutMs = TIMEOUT_MS, time = "database", migrates = false, mayForget = false } = options;
  const elapsed = () => own.elapsed();
  const open = (connections: number, onReplaced?: () => void) =>
    new RenewablePool(() => openPool(url, connections), elapsed, onReplaced);
  const slow = open(SLOW_CONNECTIONS);
  // Where single rows get no answer nobody does: a revoke is then to fail and be repeated, not to wait for its minute.
  const quick = open(QUICK_CONNECTIONS, () => slow.replace());
  const pools = { ledger: open(LEDGER_CONNECTIONS), quick, slow };
  try {
    const { current } = pools.quick;
    if (!mayForget) await assertDurable(current);
    await prepareSchema(current, own.now(), migrates);
    const timeline = await readTimeline(current);
    const databaseClock = time === "database" ? await DatabaseClock.open(pools.quick, own) : undefined;
    const ledgerClock = (at: EpochMs) => (databaseClock ? null : at);
    const connectMs = Math.max(timeoutMs, connectTimeoutMsOf(url));
    const parts = { pools, connectMs, timeoutMs, timeline, databaseClock, ledgerClock, elapsed };
    return { store: guarded(verbs(parts)), clock: databaseClock ?? own };
  } catch (cause) {
    await closed(pools, 0);
    throw unavailable(cause);
  }
}

interface Pools {
  readonly ledger: RenewablePool;
  readonly quick: RenewablePool;
  readonly slow: RenewablePool;
}

async function closed({ ledger, quick, slow }: Pools, seconds: number): Promise<void> {
  await Promise.all([ledger.close(seconds), quick.close(seconds), slow.close(seconds)]);
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
  readonly pools: Pools;
  readonly connectMs: number;
  readonly timeoutMs: number;
  readonly timeline: Timeline;
  readonly databaseClock: DatabaseClock | undefined;
  readonly ledgerClock: (now: EpochMs) => EpochMs | null;
  readonly elapsed: () => number;
}

function verbs(parts: Parts): Store {
  const { pools, timeoutMs, timeline, databaseClock } = parts;
  let key: Uint8Array = new Uint8Array(0);
  const chainKey = () => key;
  return {
    kind: "postgres",
    ...ledgerVerbs(parts, chainKey),
    ...verbsOver(pools.quick, QUICK_PATIENCE * timeoutMs, quickVerbs),
    ...verbsOver(pools.slow, SLOW_PATIENCE * timeoutMs, (pool) => slowVerbs(pool, timeline, chainKey)),
    useChainKey: (used) => {
      key = used;
    },
    backup: () => Promise.reject(noBackup()),
    close: async () => {
      databaseClock?.close();
      await closed(pools, 1);
    },
  };
}

function ledgerVerbs(parts: Parts, chainKey: () => Uint8Array) {
  const { pools, connectMs, timeoutMs, timeline, ledgerClock: clock, elapsed } = parts;
  const state = stateStatements(timeline.frozen);
  const ledger = new PostgresLedger({ pool: pools.ledger, connectMs, timeoutMs, chainKey, clock, elapsed, state });
  const upkeep = verbsOver(pools.slow, SLOW_PATIENCE * timeoutMs, (pool) => {
    const db = openDb(pool);
    return {
      purge: (at: EpochMs) => purge(db, at),
      isAnyRollingDue: (at: EpochMs) => isAnyRollingDue(db, at),
    };
  });
  return {
    apply: (entries, at) => ledger.apply(entries, at),
    sweepAbandonedHolds: (at) => ledger.sweepAbandoned(at),
    purgeRecordedCalls: async (at) => {
      const purged = await upkeep.purge(at);
      return (await upkeep.isAnyRollingDue(at)) ? purged + (await ledger.expireRolling(at)) : purged;
    },
    standing: (keyId, objectName, at, slotNames = []) => ledger.standing(keyId, objectName, at, slotNames),
    reconcile: (request) => ledger.reconcile(request),
  } satisfies Partial<Store>;
}

function noBackup(): Problem {
  return new Problem(
    "usage",
    "keybrake backup copies a SQLite store; this one is PostgreSQL's",
    "use the backups of your PostgreSQL (pg_dump, or its archive); after a restore run `keybrake restore confirm`",
  );
}
