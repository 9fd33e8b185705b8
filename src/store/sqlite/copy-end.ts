import type { Database, SQLQueryBindings } from "bun:sqlite";
import { drizzle } from "drizzle-orm/bun-sqlite";
import type { ChainSource } from "../../audit/chained-row.ts";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import {
  type CopyColumn,
  type CopyEnd,
  type CopyKey,
  type CopyRow,
  type CopyTable,
  columnList,
  HALF_COPY_NUMBER,
  keyColumns,
  keyList,
  quoted,
  SINGLE_ROW_TABLES,
  UNCOPIED_TABLES,
} from "../copy/copy-end.ts";
import { HALF_COPY } from "../migrate.ts";
import { SqliteAuditChain } from "./audit-chain.ts";
import { AuditSegments } from "./audit-segments.ts";
import { freeze } from "./backup.ts";
import { ChainKeys } from "./chain-keys.ts";
import { checkCounters } from "./check-counters.ts";
import { closeDatabase, migrate, migrateHalfCopy, openDatabase } from "./database.ts";
import { PRUNED_SUMS, prepareDaySums, preparePrunedSums } from "./pruned-spend.ts";
import { SpendReader } from "./spend-reader.ts";
import { SpendSumsWriter } from "./spend-sums.ts";

export interface SqliteCopyEnd extends CopyEnd {
  /** What is copied: the tables of this schema. */
  readonly tables: readonly CopyTable[];
}

/** Opens the file, as every command would, or the half copy that it is. */
export function openSqliteCopyEnd(path: string, now: EpochMs, role: "source" | "target"): SqliteCopyEnd {
  const database = openDatabase(path);
  try {
    if (role === "source") migrate(database, path, now);
    else migrateHalfCopy(database, path, now);
    return copyEnd(database, path);
  } catch (cause) {
    database.close();
    throw cause;
  }
}

function copyEnd(database: Database, path: string): SqliteCopyEnd {
  return {
    kind: "sqlite",
    place: path,
    tables: readTables(database),
    ...people(database, path),
    ...marks(database),
    ...rows(database),
    ...proofs(database, path),
    freezeSource: async (why, at) => {
      freeze(database, why, at);
      database.run("COMMIT");
    },
    close: async () => {
      if (database.inTransaction) database.run("ROLLBACK");
      closeDatabase(database);
    },
  };
}

function readTables(database: Database): readonly CopyTable[] {
  const names = database
    .query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")
    .values() as [string][];
  return names
    .map(([name]) => name)
    .filter((name) => !UNCOPIED_TABLES.includes(name))
    .map((name) => ({
      name,
      columns: (
        database.query("SELECT name, type, pk FROM pragma_table_info(?)").all(name) as {
          name: string;
          type: CopyColumn["type"];
          pk: bigint;
        }[]
      ).map((column) => ({ name: column.name, type: column.type, keyPlace: Number(column.pk) })),
    }));
}

function people(database: Database, path: string): Pick<CopyEnd, "holdWriters" | "livingOwners" | "firstTableInUse"> {
  return {
    holdWriters: async () => {
      try {
        database.run("BEGIN IMMEDIATE");
      } catch (cause) {
        throw new Problem(
          "conflict",
          `another process is writing to ${path}: ${(cause as Error).message}`,
          "stop it, and run the copy again",
        );
      }
    },
    livingOwners: async (now) =>
      (database.query("SELECT owner FROM leases WHERE until > ?").values(now) as [string][]).map(([owner]) => owner),
    firstTableInUse: async (tables) =>
      tables.find(
        ({ name }) =>
          !SINGLE_ROW_TABLES.includes(name) && database.query(`SELECT 1 FROM ${quoted(name)} LIMIT 1`).get() !== null,
      )?.name,
  };
}

function marks(database: Database): Pick<CopyEnd, "mark" | "putMark" | "removeMark"> {
  return {
    mark: async () =>
      database.query<{ sha256: string }, [string]>("SELECT sha256 FROM migrations WHERE name = ?").get(HALF_COPY)
        ?.sha256,
    putMark: async (text, now) =>
      void database.run("INSERT OR REPLACE INTO migrations (number, name, sha256, applied_at) VALUES (?, ?, ?, ?)", [
        HALF_COPY_NUMBER,
        HALF_COPY,
        text,
        now,
      ]),
    removeMark: async () => void database.run("DELETE FROM migrations WHERE name = ?", [HALF_COPY]),
  };
}

function rows(database: Database): Pick<CopyEnd, "count" | "page" | "lastKey" | "empty" | "insert" | "derive"> {
  const read = (table: CopyTable) => {
    // Prepared when the first table is read: by then the rows that are to be told apart are there.
    if (table.name === "spend_sums") preparePrunedSums(database);
    return `(${sourceOf(table)})`;
  };
  return {
    count: async (table) =>
      Number((database.query(`SELECT count(*) AS n FROM ${read(table)}`).get() as { n: bigint }).n),
    page: async (table, after, limit) => {
      const behind = after
        ? `WHERE (${keyList(table)}) > (${keyColumns(table)
            .map(() => "?")
            .join(", ")})`
        : "";
      const statement = `SELECT ${columnList(table)} FROM ${read(table)} ${behind} ORDER BY ${keyList(table)} LIMIT ?`;
      const found = database.query(statement).values(...bound(keyColumns(table), after ?? []), limit) as unknown[][];
      return found.map((row) => row.map(textOf));
    },
    lastKey: async (table) => {
      const descending = keyColumns(table).map(({ name }) => `${quoted(name)} DESC`);
      const [row] = database
        .query(`SELECT ${keyList(table)} FROM ${quoted(table.name)} ORDER BY ${descending.join(", ")} LIMIT 1`)
        .values() as unknown[][];
      return row?.map((value) => textOf(value)!);
    },
    empty: async ({ name }) => void database.run(`DELETE FROM ${quoted(name)}`),
    insert: async (table, all) => {
      const insert = database.query(
        `INSERT INTO ${quoted(table.name)} (${columnList(table)}) VALUES (${table.columns.map(() => "?").join(", ")})`,
      );
      database.transaction(() => {
        for (const row of all) insert.run(...bound(table.columns, row));
      })();
    },
    derive: async () => prepareDaySums(database),
  };
}

/** The rows as PostgreSQL would have them: no sums of what is there, and nothing that says how far they are added up. */
function sourceOf({ name }: CopyTable): string {
  if (name === "spend_sums") return `SELECT * FROM ${PRUNED_SUMS}`;
  if (name === "spend_state") return "SELECT id, 0 AS next_seq, pruned_to FROM spend_state";
  return `SELECT * FROM ${quoted(name)}`;
}

function textOf(value: unknown): string | null {
  if (value === null) return null;
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value);
}

function bound(columns: readonly CopyColumn[], values: CopyRow | CopyKey): SQLQueryBindings[] {
  return values.map((value, place) => {
    const { type } = columns[place]!;
    if (value === null || type === "TEXT") return value;
    if (type === "BLOB") return Buffer.from(value, "hex");
    return type === "INTEGER" ? BigInt(value) : Number(value);
  });
}

function proofs(
  database: Database,
  path: string,
): Pick<CopyEnd, "sealedChainKey" | "chain" | "counterMismatches" | "spendByHour"> {
  return {
    sealedChainKey: async () => new ChainKeys(database).get(),
    chain: () => chainOf(database),
    counterMismatches: async () => checkCounters(drizzle(database)),
    spendByHour: () => new SpendReader(path).sum({ by: "hour", splitByVendor: true, filter: {} }),
  };
}

function chainOf(database: Database): ChainSource {
  // Nothing is written to it here, so that no key is needed to seal with.
  const segments = new AuditSegments(database, () => new Uint8Array(0), new SpendSumsWriter(database));
  const chain = new SqliteAuditChain(database, segments);
  return {
    chainState: async () => chain.state(),
    chainRows: async (place, limit) => chain.rows(place, limit),
    findChainRows: async (search) => chain.find(search),
    auditSegments: async () => chain.segments(),
  };
}
