import { closeSync, constants, fsyncSync, linkSync, openSync, renameSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Files that hold a database, made so that they are on disk and for this user's eyes only whatever the umask is.
 * None of these may be used on a database that this process has open: closing any descriptor of a file gives up the
 * process's POSIX locks on it, SQLite's among them (fcntl(2)).
 */

/** An empty file (0600) under a name that was free. */
export function createEmpty(path: string): void {
  closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600));
}

export function syncFile(path: string): void {
  syncOpened(openSync(path, constants.O_RDONLY));
}

/** Without this a power cut can take back a name that was just given (fsync(2)). */
export function syncDirectoryOf(path: string): void {
  syncOpened(openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY));
}

function syncOpened(file: number): void {
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Gives `from` the name `to` for good, and throws `EEXIST` where something has that name. */
export function nameFreshly(from: string, to: string): void {
  if (linkIfPossible(from, to)) unlinkSync(from);
  else renameSync(from, to);
  syncDirectoryOf(to);
}

/** Gives `from` the name `to` for good, in place of what had it: at every moment one of the two has the name. */
export function nameAnew(from: string, to: string): void {
  renameSync(from, to);
  syncDirectoryOf(to);
}

/** File systems without hard links, FAT and some mounted shares. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/** A second name for a file; false where the file system has no such thing. */
export function linkIfPossible(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (cause) {
    if (NO_LINKS.includes((cause as NodeJS.ErrnoException).code ?? "")) return false;
    throw cause;
  }
}
