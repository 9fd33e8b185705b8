import { lstatSync, mkdirSync, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Problem } from "../core/problem.ts";
import {
  effectiveUid,
  errorCode,
  exposureProblem,
  fileProblem,
  isAbandonedDraft,
  octal,
  shellWord,
} from "./private-file.ts";

const OWNER_ONLY_UMASK = 0o077;

/**
 * Makes the data directory where there is none (0700; its parents with the usual mode) and refuses one that others can
 * reach. From then on every file that the process creates is its own only: SQLite asks for 0644 for database, WAL and
 * backups, and umask 077 makes that 0600.
 * @returns the directory's real path: work with that, so that a symbolic link on the way cannot be turned elsewhere.
 * @throws Problem naming the directory and the command that mends it.
 */
export function prepareDataDir(dir: string): string {
  if (dir === "") throw new Problem("invalid", "the data directory has no name", "name one with --data DIR");
  const path = resolve(dir);
  makeDirectory(dirname(path), { recursive: true });
  process.umask(OWNER_ONLY_UMASK);
  makeDirectory(path, { recursive: false });
  refuseForeignLink(path);
  try {
    const realPath = realpathSync(path);
    const found = statSync(realPath);
    const problem = directoryProblem(path, found);
    if (problem !== undefined) throw problem;
    return realPath;
  } catch (error) {
    throw error instanceof Problem ? error : fileProblem("cannot use data directory", path, error);
  }
}

function makeDirectory(path: string, options: { readonly recursive: boolean }): void {
  try {
    mkdirSync(path, options.recursive ? { recursive: true } : { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) === "EEXIST") return; // what is there is judged next
    throw fileProblem("cannot create directory", path, error);
  }
}

/** A link that another user owns, in a shared directory say, could be turned to a directory of that user's choice. */
function refuseForeignLink(path: string): void {
  const link = lstatSync(path);
  if (!link.isSymbolicLink() || link.uid === effectiveUid() || link.uid === 0) return;
  throw new Problem(
    "forbidden",
    `the data directory ${path} is a symbolic link of user id ${link.uid}`,
    "name the directory itself with --data",
  );
}

function directoryProblem(path: string, found: Stats): Problem | undefined {
  if (found.isDirectory()) return exposureProblem(path, found, "directory");
  return new Problem("invalid", `the data directory ${path} is not a directory`, "name another one with --data");
}

/** Something that `keybrake doctor` tells, and how to mend it. */
export interface FileFinding {
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

/** Everything in and around the data directory that another user could read or change; an empty list where all is well. */
export function checkFileModes(dir: string): FileFinding[] {
  const path = resolve(dir);
  try {
    return [...checkParent(dirname(path)), ...checkTree(path, statSync(path))];
  } catch (error) {
    const problem = fileProblem("cannot look at", path, error);
    return [finding(path, problem)];
  }
}

/** Who may write to the parent may put another directory in place of this one, unless the sticky bit forbids it. */
function checkParent(path: string): FileFinding[] {
  const { mode } = statSync(path);
  if ((mode & 0o022) === 0 || (mode & 0o1000) !== 0) return [];
  const message = `${path} is writable to other users (mode ${octal(mode)}): they can replace the data directory`;
  return [{ path, message, hint: `chmod go-w ${shellWord(path)}` }];
}

function checkTree(path: string, found: Stats): FileFinding[] {
  if (found.isSymbolicLink()) return []; // its target is elsewhere; what matters of it is checked where it is opened
  const kind = found.isDirectory() ? "directory" : "file";
  const problem = exposureProblem(path, judged(path, found), kind);
  const own = problem === undefined ? [] : [finding(path, problem)];
  if (isAbandonedDraft(path)) own.push(abandoned(path));
  if (kind === "file") return own;
  return [...own, ...readdirSync(path).flatMap((name) => checkEntry(join(path, name)))];
}

function checkEntry(path: string): FileFinding[] {
  try {
    return checkTree(path, lstatSync(path));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return []; // a WAL or a draft that went while we looked
    return [finding(path, fileProblem("cannot look at", path, error))];
  }
}

/** Policy templates hold no secret: others may read them, but not change them. */
function judged(path: string, found: Stats): { uid: number; mode: number } {
  const isTemplate = found.isFile() && /\.ya?ml$/.test(path);
  return { uid: found.uid, mode: isTemplate ? found.mode & ~0o055 : found.mode };
}

function abandoned(path: string): FileFinding {
  const message = `${path} was left by a start that was killed, and may hold a copy of the master key`;
  return { path, message, hint: `rm ${shellWord(path)}` };
}

function finding(path: string, problem: Problem): FileFinding {
  return { path, message: problem.message, hint: problem.hint ?? "" };
}
