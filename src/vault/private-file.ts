import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { Problem } from "../core/problem.ts";

const OTHERS_MASK = 0o077;
/** What is left of it where the group may read. */
const GROUPS_READ_MASK = 0o037;
const CREATED_SUFFIX = ".new";

export interface Ownership {
  readonly uid: number;
  readonly mode: number;
}

/**
 * Why somebody else could reach the file or directory at `path`, or undefined where only this user (and root) can.
 * POSIX access lists count too: their mask shows in the group bits.
 */
export function exposureProblem(path: string, found: Ownership, kind: "file" | "directory"): Problem | undefined {
  const ownUid = effectiveUid();
  if (found.uid !== ownUid) {
    return new Problem(
      "forbidden",
      `${path} belongs to user id ${found.uid}, Keybrake runs as ${ownUid}`,
      `run keybrake as its owner, or: chown ${ownUid} ${shellWord(path)}`,
    );
  }
  if ((found.mode & OTHERS_MASK) === 0) return undefined;
  const wanted = kind === "file" ? "600" : "700";
  return new Problem(
    "forbidden",
    `${path} is open to other users: mode ${octal(found.mode)}, it must be ${wanted}`,
    `chmod ${wanted} ${shellWord(path)}`,
  );
}

/** The user that the process acts as. Keybrake runs on Linux and macOS, where there always is one. */
export function effectiveUid(): number {
  return process.geteuid?.() ?? -1;
}

/** Permission bits as chmod writes them: `640`. */
export function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, "0");
}

/** `path` as it can be pasted into a shell. */
export function shellWord(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/**
 * Creates `path` (0600) with `content`, durably, whole or not at all; false where something is there already.
 *
 * The content is written to a file of its own first, opened with O_EXCL, and then linked to its name, which fails where
 * the name is taken. So of two processes one wins, the other never reads half a file, and neither does a start after
 * `kill -9`.
 */
export function createPrivateFile(path: string, content: string): boolean {
  const draft = `${path}.${randomBytes(8).toString("hex")}${CREATED_SUFFIX}`;
  try {
    writeDurably(draft, content);
    linkSync(draft, path);
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw fileProblem("cannot create", path, error);
  } finally {
    removeIfThere(draft);
  }
  syncDirectory(dirname(path));
  return true;
}

/** A file that `createPrivateFile` left behind when it was killed. */
export function isAbandonedDraft(name: string): boolean {
  return /\.[0-9a-f]{16}\.new$/.test(name);
}

function writeDurably(path: string, content: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw fileProblem("cannot remove", path, error);
  }
}

/** Without this a power cut can take back a name that was just created (fsync(2)). */
export function syncDirectory(path: string): void {
  let directory: number | undefined;
  try {
    directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    fsyncSync(directory);
  } catch (error) {
    throw fileProblem("cannot sync", path, error);
  } finally {
    if (directory !== undefined) closeSync(directory);
  }
}

/**
 * The text of the small file at `path`, or undefined where there is none. `strict` refuses one that others can reach, but
 * for a group that root lets read its own file where `allowRootsGroup` says so; the open file is judged, not its name, so
 * it cannot be swapped in between.
 * @throws Problem `forbidden` for owner or mode, `unavailable` where it cannot be read or has over `bytesMax` bytes.
 */
export function readPrivateFile(
  path: string,
  options: { readonly strict: boolean; readonly allowRootsGroup?: boolean; readonly bytesMax: number },
): string | undefined {
  const file = openToRead(path);
  if (file === undefined) return undefined;
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw new Problem("unavailable", `${path} is not a regular file`, "put the key file there");
    const handedOver = options.allowRootsGroup === true && found.uid === 0 && (found.mode & GROUPS_READ_MASK) === 0;
    const exposure = options.strict && !handedOver ? exposureProblem(path, found, "file") : undefined;
    if (exposure !== undefined) throw exposure;
    return readText(file, path, options.bytesMax);
  } finally {
    closeSync(file);
  }
}

function openToRead(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a FIFO put there must not hang the start
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw fileProblem("cannot open", path, error);
  }
}

function readText(file: number, path: string, bytesMax: number): string {
  const buffer = Buffer.alloc(bytesMax + 1);
  let length = 0;
  try {
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, null);
    }
  } catch (error) {
    throw fileProblem("cannot read", path, error);
  }
  const text = buffer.toString("latin1", 0, length); // byte for byte: a damaged byte must stay another one
  buffer.fill(0);
  if (length > bytesMax) {
    throw new Problem("unavailable", `${path} has more than ${bytesMax} bytes`, "check that it is the right file");
  }
  return text;
}

/** A failed system call as a Problem: what could not be done, with which file, and the system's own word for why. */
export function fileProblem(failure: string, path: string, error: unknown): Problem {
  const code = errorCode(error) ?? "unknown error";
  return new Problem("unavailable", `${failure} ${path}: ${code}`, HINTS[code] ?? "check the disk and its mount");
}

const HINTS: Readonly<Record<string, string>> = {
  EACCES: "run keybrake as the user that owns the data directory",
  EPERM: "the file system must allow hard links and file modes; choose another data directory with --data",
  EROFS: "the file system is mounted read-only; choose another data directory with --data",
  ENOSPC: "the disk is full; free some space",
  ENOENT: "create the directory first",
};

export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
