import { type OpenedPostgres, openPostgresDatabase } from "../store/postgres-database.ts";
import type { StoreUnderTest } from "../store/store-under-test.ts";
import { openTemporaryStore } from "../store/temporary-database.ts";
import { fillDisk, freeDisk } from "./faults.ts";

/** A store that the worlds run on, and the disk under it. */
export interface ModelStore extends StoreUnderTest {
  /** No longer takes writes to some tables: `tables` has a bit for each in the order of their names. */
  fillDisk(tables: number): Promise<void>;
  freeDisk(): Promise<void>;
}

/** What a world runs on. */
export interface Setting {
  readonly open: () => Promise<ModelStore>;
  /** How many processes share it, each with a handle of its own. */
  readonly replicas: number;
}

/** Two processes on one file. */
export const ON_SQLITE: Setting = {
  replicas: 2,
  open: async () => {
    const subject = await openTemporaryStore();
    return {
      ...subject,
      fillDisk: async (tables) => fillDisk(subject.path, tables),
      freeDisk: async () => freeDisk(subject.path),
    };
  },
};

/** As `fillDisk` of SQLite does it, in PostgreSQL's words. */
const FILL = (tables: number) => `
  CREATE OR REPLACE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $full$
    BEGIN RAISE EXCEPTION 'could not extend a file: no space left on device' USING ERRCODE = 'disk_full'; END
  $full$;
  DO $fill$
  DECLARE found record;
  BEGIN
    FOR found IN SELECT relname, (row_number() OVER (ORDER BY relname) - 1)::int % 32 AS place FROM pg_class
                 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
      CONTINUE WHEN ${tables}::bigint & (1::bigint << found.place) = 0;
      EXECUTE format('CREATE OR REPLACE TRIGGER disk_full BEFORE INSERT OR UPDATE OR DELETE ON %I
                      FOR EACH ROW EXECUTE FUNCTION disk_is_full()', found.relname);
    END LOOP;
  END $fill$`;

export function onPostgres(databases: OpenedPostgres, replicas: number): Setting {
  return {
    replicas,
    open: async () => {
      const subject = await openPostgresDatabase(databases);
      return {
        ...subject,
        fillDisk: (tables) => subject.tamper(FILL(tables)),
        freeDisk: () => subject.tamper("DROP FUNCTION IF EXISTS disk_is_full CASCADE"),
      };
    },
  };
}

/**
 * Which replica a step means that was made for two processes: the first, or any of the others in turn.
 * @param turn the place of the step in its history.
 */
export function replicaOf(process: number, turn: number, replicas: number): number {
  return process === 0 || replicas === 1 ? 0 : 1 + (turn % (replicas - 1));
}
