import { existsSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The database, its log, and the memory by which processes share them: suffixes. */
export const DATABASE_PARTS = ["", "-wal", "-shm"] as const;

/** Those that are there. */
export function eachPart(path: string, step: (part: string) => void): void {
  for (const suffix of DATABASE_PARTS) if (existsSync(`${path}${suffix}`)) step(`${path}${suffix}`);
}

/** A database as it was when nobody had it open. */
export function putBack(path: string, sound: Buffer): void {
  eachPart(path, (part) => rmSync(part));
  // The older state is what is wanted here: a checkpoint that knows better would freeze the keys.
  rmSync(join(dirname(path), "checkpoints"), { force: true });
  writeFileSync(path, sound, { mode: 0o600 });
}
