import type { SQL as Pool } from "bun";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import {
  type CopyColumn,
  type CopyEnd,
  type CopyRow,
  type CopyTable,
  columnList,
  HALF_COPY_NUMBER,
  keyColumns,
  keyList,
  quoted,
  SINGLE_ROW_TABLES,
} from "../copy/copy-end.ts";
import { HALF_COPY } from "../migrate.ts";
import { PostgresAuditChain } from "./audit-chain.ts";
import { PostgresChainKeys } from "./chain-keys.ts";
import { checkCounters } from "./check-counters.ts";
import { openDb } from "./db.ts";
import { migrateHalfCopy, schemaOf } from "./migrate.ts";
import { openPool } from "./pool.ts";
import { sumSpend } from "./spend.ts";

/** Reports read in a transaction of their own, beside the one that keeps writers away. */
const READING_CONNECTIONS = 2;

/** How long a transaction of another process may keep the source from being held. */
const LOCK_TIMEOUT_MS = 5_000;

interface Handles {
  readonly pool: Pool;
  /** One connection, for the transaction that keeps writers away. */
  readonly holder: Pool;
}

/** Opens the database; one that is to be copied must have this release's schema, a new one gets it. */
export async function openPostgresCopyEnd(url: string, now: EpochMs, role: "source" | "target"): Promise<CopyEnd> {
  const handles = { pool: openPool(url, READING_CONNECTIONS), holder: openPool(url, 1) };
  try {
    if (role === "target") await migrateHalfCopy(handles.pool, now);
    else await assertCurrent(handles.pool);
    return copyEnd(handles, url);
  } catch (cause) {
    await closeAll(handles);
    throw cause;
  }
}

async function assertCurrent(pool: Pool): Promise<void> {
  const { applied, pending } = await schemaOf(pool);
  if (applied === 0)
    throw new Problem("not_found", "the source has no tables of keybrake", "name the database that has");
  if (pending.length === 0) return;
  throw new Problem(
    "unavailable",
    "the source's schema is of an earlier release",
    "run `keybrake migrate` on it first",
  );
}

function copyEnd(handles: Handles, url: string): CopyEnd {
  const { pool, holder } = handles;
  const db = openDb(pool);
  const chain = new PostgresAuditChain(pool, () => new Uint8Array(0));
  const { host, pathname } = new URL(url);
  return {
    kind: "postgres",
    place: `postgres://${host}${pathname}`,
    ...people(handles),
    ...marks(pool),
    ...rows(pool),
    sealedChainKey: () => new PostgresChainKeys(db).get(),
    chain: () => ({
      chainState: () => chain.state(),
      chainRows: (place, limit) => chain.rows(place, limit),
      findChainRows: (search) => chain.find(search),
      auditSegments: () => chain.segments(),
    }),
    counterMismatches: () => checkCounters(db),
    spendByHour: () => sumSpend(pool, { by: "hour", splitByVendor: true, filter: {} }),
    freezeSource: async (why, at) => {
      await holder.unsafe(
        `UPDATE ledger_state
         SET frozen = json_build_object('since', $1::text::int8, 'why', $2::text, 'backup_seq', last_seq)::text
         WHERE id = 1 AND frozen IS NULL`,
        [String(at), why],
      );
      await holder.unsafe("COMMIT");
    },
    close: () => closeAll(handles),
  };
}

async function closeAll({ pool, holder }: Handles): Promise<void> {
  // A transaction that is still open ends with its connection.
  await Promise.all([pool.close({ timeout: 1 }), holder.close({ timeout: 0 })]);
}

function people({ pool, holder }: Handles): Pick<CopyEnd, "holdWriters" | "livingOwners" | "firstTableInUse"> {
  return {
    holdWriters: async (tables) => {
      const names = [...tables.map(({ name }) => quoted(name)), "leases", "migrations"];
      await holder.unsafe(
        `BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS};
         LOCK TABLE ${names.join(", ")} IN SHARE MODE`,
      );
    },
    livingOwners: async () => {
      const found = (await pool.unsafe(
        "SELECT owner FROM leases WHERE until > extract(epoch FROM clock_timestamp()) * 1000",
      )) as { owner: string }[];
      return found.map(({ owner }) => owner);
    },
    firstTableInUse: async (tables) => {
      for (const { name } of tables) {
        if (SINGLE_ROW_TABLES.includes(name)) continue;
        if ((await pool.unsafe(`SELECT 1 FROM ${quoted(name)} LIMIT 1`)).length > 0) return name;
      }
      return undefined;
    },
  };
}

function marks(pool: Pool): Pick<CopyEnd, "mark" | "putMark" | "removeMark"> {
  return {
    mark: async () => {
      const [row] = (await pool.unsafe("SELECT sha256 FROM migrations WHERE name = $1", [HALF_COPY])) as {
        sha256: string;
      }[];
      return row?.sha256;
    },
    putMark: async (text, now) =>
      void (await pool.unsafe(
        `INSERT INTO migrations (number, name, sha256, applied_at) VALUES (${HALF_COPY_NUMBER}, $1, $2, $3::text::int8)
         ON CONFLICT (number) DO UPDATE SET sha256 = excluded.sha256, applied_at = excluded.applied_at`,
        [HALF_COPY, text, String(now)],
      )),
    removeMark: async () => void (await pool.unsafe("DELETE FROM migrations WHERE name = $1", [HALF_COPY])),
  };
}

const READ: Readonly<Record<CopyColumn["type"], (name: string) => string>> = {
  INTEGER: (name) => `${name}::text`,
  REAL: (name) => `${name}::text`,
  TEXT: (name) => name,
  BLOB: (name) => `encode(${name}, 'hex')`,
};

const WRITE: Readonly<Record<CopyColumn["type"], (text: string) => string>> = {
  INTEGER: (text) => `(${text})::int8`,
  REAL: (text) => `(${text})::float8`,
  TEXT: (text) => text,
  BLOB: (text) => `decode(${text}, 'hex')`,
};

function rows(pool: Pool): Pick<CopyEnd, "count" | "page" | "lastKey" | "empty" | "insert" | "derive"> {
  return {
    count: async ({ name }) => {
      const [row] = (await pool.unsafe(`SELECT count(*)::text AS n FROM ${quoted(name)}`)) as [{ n: string }];
      return Number(row.n);
    },
    page: async (table, after, limit) => {
      const columns = table.columns.map(({ name, type }, place) => `${READ[type](quoted(name))} AS c${place}`);
      const wanted = keyColumns(table).map(({ type }, place) => WRITE[type](`$${place + 1}::text`));
      const behind = after ? `WHERE (${keyList(table)}) > (${wanted.join(", ")})` : "";
      const found = (await pool.unsafe(
        `SELECT ${columns.join(", ")} FROM ${quoted(table.name)} ${behind} ORDER BY ${keyList(table)} LIMIT ${limit}`,
        [...(after ?? [])],
      )) as Record<string, string | null>[];
      return found.map((row) => table.columns.map(({ type }, place) => sameText(type, row[`c${place}`]!)));
    },
    lastKey: async (table) => {
      const keys = keyColumns(table);
      const columns = keys.map(({ name, type }, place) => `${READ[type](quoted(name))} AS c${place}`);
      const descending = keys.map(({ name }) => `${quoted(name)} DESC`);
      const [row] = (await pool.unsafe(
        `SELECT ${columns.join(", ")} FROM ${quoted(table.name)} ORDER BY ${descending.join(", ")} LIMIT 1`,
      )) as Record<string, string>[];
      return row && keys.map((_, place) => row[`c${place}`]!);
    },
    empty: async ({ name }) => void (await pool.unsafe(`DELETE FROM ${quoted(name)}`)),
    insert: (table, all) => insert(pool, table, all),
    derive: (tables) => setSequences(pool, tables),
  };
}

/** A number with a fraction is the same one in other digits (`1e-07`, `5`). */
function sameText(type: CopyColumn["type"], text: string | null): string | null {
  return type === "REAL" && text !== null ? String(Number(text)) : text;
}

async function insert(pool: Pool, table: CopyTable, all: readonly CopyRow[]): Promise<void> {
  const values = table.columns.map(({ type }, place) => WRITE[type](`row ->> ${place}`));
  await pool.unsafe(
    `INSERT INTO ${quoted(table.name)} (${columnList(table)})
     SELECT ${values.join(", ")} FROM json_array_elements($1::text::json) AS row`,
    [JSON.stringify(all)],
  );
}

/** Numbers go on behind those that were copied. */
async function setSequences(pool: Pool, tables: readonly CopyTable[]): Promise<void> {
  for (const { name } of tables) {
    const found = (await pool.unsafe(
      `SELECT column_name AS column FROM information_schema.columns
       WHERE table_schema = current_schema() AND table_name = $1 AND is_identity = 'YES'`,
      [name],
    )) as { column: string }[];
    for (const { column } of found) {
      await pool.unsafe(
        `SELECT setval(pg_get_serial_sequence($1, $2), coalesce(max(${quoted(column)}) + 1, 1), false) FROM ${quoted(name)}`,
        [name, column],
      );
    }
  }
}
