import { existsSync } from "node:fs";
import { type Config, readConfig } from "../config.ts";
import { Problem } from "../core/problem.ts";
import { openStore, storeFile } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { prepareDataDir } from "../vault/data-dir.ts";
import type { Cli, GlobalFlags } from "./cli.ts";
import { refuseRemote } from "./local.ts";

/** The file of the store, and the data directory's real path. */
export interface LocalStore {
  readonly config: Config;
  readonly dataDir: string;
  readonly file: string;
}

/**
 * Where the flags say that the database is. Backups are files of the server's machine, so no other server is asked.
 * @param mustExist refuses, and makes nothing, where there is no database yet.
 * @throws Problem where the store is not a file of this machine.
 */
export function locateStore(cli: Cli, flags: GlobalFlags, mustExist: boolean): LocalStore {
  refuseRemote(cli, "backups are made and restored on the server's own machine");
  const config = readConfig(flags, cli.environment);
  if (mustExist && !existsSync(config.dataDir)) throw noDatabase(`in ${config.dataDir}`);
  const dataDir = prepareDataDir(config.dataDir);
  const file = storeFile(config.storeUrl, dataDir);
  if (file === undefined) {
    throw new Problem("usage", "the store is no file", "back it up with the tools of its own database");
  }
  if (mustExist && !existsSync(file)) throw noDatabase(file);
  return { config, dataDir, file };
}

function noDatabase(path: string): Problem {
  return new Problem("not_found", `there is no database ${path}`, "name the server's data directory with --data");
}

/** Opens the store that is there, says where, runs `work`, and closes it. Makes none: an empty one has nothing to tell. */
export async function withStore<Result>(
  cli: Cli,
  flags: GlobalFlags,
  work: (store: Store, located: LocalStore) => Promise<Result>,
): Promise<Result> {
  const located = locateStore(cli, flags, true);
  const { config, dataDir } = located;
  cli.voice.note(`data directory ${dataDir}`);
  const { store } = await openStore(config.storeUrl, dataDir, cli.clock);
  try {
    return await work(store, located);
  } finally {
    await store.close();
  }
}
