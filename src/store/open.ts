import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { Problem } from "../core/problem.ts";
import { isPostgresUrl } from "./postgres/pool.ts";
import { openPostgresStore } from "./postgres/store.ts";
import { openSqliteStore } from "./sqlite/store.ts";
import type { Store } from "./store.ts";

const SQLITE_FILE = "keybrake.db";

export interface OpenedStore {
  readonly store: Store;
  /** What counts for all who share the store: the machine's own clock, or that of the database's server. */
  readonly clock: Clock;
}

/** The file that the store's `url` names; undefined where the store is not a file. */
export function storeFile(url: string, dataDir: string): string | undefined {
  if (!url.startsWith("sqlite:")) return undefined;
  return url === "sqlite:" ? join(dataDir, SQLITE_FILE) : url.slice("sqlite:".length);
}

/**
 * Opens the store that `url` names: `sqlite:` (the file in the data directory), `sqlite:/path/to/file`, or
 * `postgres://user:password@host:port/database`.
 * @param migrates whether a shared database of an earlier release is brought up to date; a file always is.
 * @throws Problem for another scheme.
 */
export async function openStore(
  url: string,
  dataDir: string,
  clock: Clock,
  { migrates = false }: { readonly migrates?: boolean } = {},
): Promise<OpenedStore> {
  const file = storeFile(url, dataDir);
  if (file !== undefined) return { store: openSqliteStore(file, clock.now()), clock };
  if (isPostgresUrl(url)) return openPostgresStore(url, { clock, migrates });
  throw new Problem(
    "usage",
    `"${url.split(":")[0]}:" is not a store that keybrake knows; it knows sqlite: and postgres:`,
    "leave KEYBRAKE_STORE unset for the SQLite file in the data directory",
  );
}
