import type { ChainSource } from "../../audit/chained-row.ts";
import type { EpochMs } from "../../core/window.ts";
import type { SealedChainKey } from "../../vault/chain-key.ts";
import type { SpendReport } from "../spend.ts";
import type { CounterMismatch } from "../store.ts";

export interface CopyColumn {
  readonly name: string;
  readonly type: "INTEGER" | "TEXT" | "REAL" | "BLOB";
  /** Its place in the primary key, from 1; 0 where it is not part of it. */
  readonly keyPlace: number;
}

/** A table that both kinds of store have, under the same names. */
export interface CopyTable {
  readonly name: string;
  readonly columns: readonly CopyColumn[];
}

/** Columns in the order of the table: numbers in decimal digits, bytes in hex. The same text is the same value everywhere. */
export type CopyRow = readonly (string | null)[];

/** A row's primary key, in the order of the key. */
export type CopyKey = readonly string[];

/** One of the two databases of a copy, below the contract of `Store`: tables and rows as they are. */
export interface CopyEnd {
  readonly kind: "sqlite" | "postgres";
  /** The database in words, without its password. */
  readonly place: string;
  /** Keeps every other writer away from these tables, and new servers, until `freezeSource` or `close`. Only of the source. */
  holdWriters(tables: readonly CopyTable[]): Promise<void>;
  /** Owners of leases that have not run out, by the clock that counts for this database. */
  livingOwners(now: EpochMs): Promise<readonly string[]>;
  /** Rows of which there must be one, such as the ledger's state, do not count. */
  firstTableInUse(tables: readonly CopyTable[]): Promise<string | undefined>;

  /** What an earlier copy into this database has left (`HALF_COPY`). */
  mark(): Promise<string | undefined>;
  putMark(text: string, now: EpochMs): Promise<void>;
  removeMark(): Promise<void>;

  count(table: CopyTable): Promise<number>;
  /** The next rows behind `after`, by the primary key. Sums of spending are those of PostgreSQL: of pruned rows alone. */
  page(table: CopyTable, after: CopyKey | undefined, limit: number): Promise<readonly CopyRow[]>;
  lastKey(table: CopyTable): Promise<CopyKey | undefined>;
  empty(table: CopyTable): Promise<void>;
  /** All of them or none. */
  insert(table: CopyTable, rows: readonly CopyRow[]): Promise<void>;
  /** What this kind of store derives from rows: sums of days, the next number of a sequence. */
  derive(tables: readonly CopyTable[]): Promise<void>;

  sealedChainKey(): Promise<SealedChainKey | undefined>;
  chain(): ChainSource;
  counterMismatches(): Promise<readonly CounterMismatch[]>;
  /** Everything that was spent, by hour and vendor. */
  spendByHour(): Promise<SpendReport>;

  /** Stops every key of the source, durably, and lets its writers go on. */
  freezeSource(why: string, now: EpochMs): Promise<void>;
  close(): Promise<void>;
}

/** Tables with exactly one row, which is there from the beginning. */
export const SINGLE_ROW_TABLES: readonly string[] = ["ledger_state", "alert_cursor", "revoke_cursor", "spend_state"];

/** Of the schema, and of the processes on one database; and what only one kind of store has. */
export const UNCOPIED_TABLES: readonly string[] = ["migrations", "leases", "ledger_timeline"];

/** Far behind every migration's. */
export const HALF_COPY_NUMBER = 1_000_000;

export function keyColumns({ columns }: CopyTable): readonly CopyColumn[] {
  return columns.filter(({ keyPlace }) => keyPlace > 0).toSorted((a, b) => a.keyPlace - b.keyPlace);
}

export function keyOf(table: CopyTable, row: CopyRow): CopyKey {
  return keyColumns(table).map((column) => row[table.columns.indexOf(column)]!);
}

export function quoted(name: string): string {
  return `"${name}"`;
}

export function columnList({ columns }: CopyTable): string {
  return columns.map(({ name }) => quoted(name)).join(", ");
}

export function keyList(table: CopyTable): string {
  return keyColumns(table)
    .map(({ name }) => quoted(name))
    .join(", ");
}
