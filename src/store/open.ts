import { join } from "node:path";
import { Problem } from "../core/problem.ts";
import type { EpochMs } from "../core/window.ts";
import { openSqliteStore } from "./sqlite/store.ts";
import type { Store } from "./store.ts";

const SQLITE_FILE = "keybrake.db";

/** The file that the store's `url` names; undefined where the store is not a file. */
export function storeFile(url: string, dataDir: string): string | undefined {
  if (!url.startsWith("sqlite:")) return undefined;
  return url === "sqlite:" ? join(dataDir, SQLITE_FILE) : url.slice("sqlite:".length);
}

/**
 * Opens the store that `url` names: `sqlite:` (the file in the data directory) or `sqlite:/path/to/file`.
 * @throws Problem for another scheme.
 */
export function openStore(url: string, dataDir: string, now: EpochMs): Store {
  const file = storeFile(url, dataDir);
  if (file !== undefined) return openSqliteStore(file, now);
  throw new Problem(
    "usage",
    `"${url.split(":")[0]}:" is not a store that keybrake knows; it knows sqlite:`,
    "leave KEYBRAKE_STORE unset for the SQLite file in the data directory",
  );
}
