import { linkSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { createMasterKeyFile, type MasterKey, readMasterKeyFile } from "./master-key.ts";
import { errorCode, fileProblem, syncDirectory } from "./private-file.ts";

/** Where a change of the master key keeps the new one until everything is wrapped under it. */
export function nextKeyPath(keyPath: string): string {
  return `${keyPath}.next`;
}

/** The new master key of a change that is under way or was cut off; undefined where there is none. */
export function readNextKey(keyPath: string): MasterKey | undefined {
  return readMasterKeyFile(nextKeyPath(keyPath), { strict: true });
}

/** The new master key, on disk: that of a change that was cut off, or a fresh one. */
export function makeNextKey(keyPath: string): MasterKey {
  return readNextKey(keyPath) ?? createMasterKeyFile(nextKeyPath(keyPath));
}

/**
 * Puts the new key in place of the old one, which is kept beside it: backups from before need it. Each step can be made again
 * after a kill, and by two processes at once.
 * @returns the path of the old key.
 */
export function promoteNextKey(keyPath: string, old: MasterKey): string {
  const oldPath = `${keyPath}.old-${old.id}`;
  try {
    attempt(() => linkSync(keyPath, oldPath), "EEXIST");
    syncDirectory(dirname(keyPath));
    attempt(() => renameSync(nextKeyPath(keyPath), keyPath), "ENOENT");
    syncDirectory(dirname(keyPath));
    return oldPath;
  } catch (error) {
    throw fileProblem("everything is sealed under the new master key, which cannot be put in place at", keyPath, error);
  }
}

/** @param done the code of the error that says that the step was made before. */
function attempt(step: () => void, done: string): void {
  try {
    step();
  } catch (error) {
    if (errorCode(error) !== done) throw error;
  }
}
