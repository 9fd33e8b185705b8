import { existsSync } from "node:fs";
import { type Config, readConfig } from "../config.ts";
import { Problem } from "../core/problem.ts";
import { openStore, storeFile } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { prepareDataDir } from "../vault/data-dir.ts";
import type { Cli, GlobalFlags } from "./cli.ts";
import { refuseRemote } from "./local.ts";

/** The data directory's real path, and what its settings say. */
interface LocalDirectory {
  readonly config: Config;
  readonly dataDir: string;
}

/** With the file of the store. */
export interface LocalStore extends LocalDirectory {
  readonly file: string;
}

/**
 * Where the flags say that the database is. Backups are files of the server's machine, so no other server is asked.
 * @param mustExist refuses, and makes nothing, where there is no database yet.
 * @throws Problem where the store is not a file of this machine.
 */
export function locateStore(cli: Cli, flags: GlobalFlags, mustExist: boolean): LocalStore {
  const located = locateDirectory(cli, flags, mustExist);
  const file = storeFile(located.config.storeUrl, located.dataDir);
  if (file === undefined) {
    throw new Problem("usage", "the store is no file", "use the backups of its own database");
  }
  if (mustExist && !existsSync(file)) throw noDatabase(file);
  return { ...located, file };
}

function locateDirectory(cli: Cli, flags: GlobalFlags, mustExist: boolean): LocalDirectory {
  refuseRemote(cli, "backups are made and restored on the server's own machine");
  const config = readConfig(flags, cli.environment);
  if (mustExist && !existsSync(config.dataDir)) throw noDatabase(`in ${config.dataDir}`);
  return { config, dataDir: prepareDataDir(config.dataDir) };
}

function noDatabase(path: string): Problem {
  return new Problem("not_found", `there is no database ${path}`, "name the server's data directory with --data");
}

/** Opens the store that is there, says where, runs `work`, and closes it. Makes none: an empty one has nothing to tell. */
export async function withStore<Result>(
  cli: Cli,
  flags: GlobalFlags,
  work: (store: Store, located: LocalDirectory) => Promise<Result>,
): Promise<Result> {
  const located = locateDirectory(cli, flags, true);
  const { config, dataDir } = located;
  if (storeFile(config.storeUrl, dataDir) !== undefined) locateStore(cli, flags, true);
  cli.voice.note(`data directory ${dataDir}`);
  const { store } = await openStore(config.storeUrl, dataDir, cli.clock);
  try {
    return await work(store, located);
  } finally {
    await store.close();
  }
}
