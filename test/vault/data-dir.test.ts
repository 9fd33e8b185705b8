import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkFileModes, prepareDataDir } from "../../src/vault/data-dir.ts";
import { exposureProblem, shellWord } from "../../src/vault/private-file.ts";
import { problemOf } from "./problem-of.ts";

const isRoot = process.geteuid?.() === 0;
const ONLY_ROOT = "(skipped unless root: only root can chown)";

let base: string;
let dir: string;
let umask: number;

beforeEach(() => {
  umask = process.umask(0o022);
  base = realpathSync(mkdtempSync(join(tmpdir(), "keybrake-data-dir-")));
  dir = join(base, "data");
});

afterEach(() => {
  process.umask(umask);
  rmSync(base, { recursive: true, force: true });
});

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe("the data directory", () => {
  test("is created with mode 700, its parents with the usual one", () => {
    const nested = join(base, "a", "b", "data");
    expect(prepareDataDir(nested)).toBe(nested);
    expect([modeOf(nested), modeOf(join(base, "a", "b"))]).toEqual([0o700, 0o755]);
  });

  test("makes every later file and directory private", () => {
    prepareDataDir(dir);
    writeFileSync(join(dir, "keybrake.db"), "", { mode: 0o644 });
    mkdirSync(join(dir, "backups"));
    expect([modeOf(join(dir, "keybrake.db")), modeOf(join(dir, "backups"))]).toEqual([0o600, 0o700]);
  });

  test("is taken as it is when it is private already", () => {
    prepareDataDir(dir);
    writeFileSync(join(dir, "keybrake.db"), "kept");
    expect(prepareDataDir(`${dir}/`)).toBe(dir);
  });

  test.each(["755", "750", "701", "777", "720"])("is refused where others can reach it (mode %s)", (mode) => {
    mkdirSync(dir);
    chmodSync(dir, Number.parseInt(mode, 8));
    const problem = problemOf(() => prepareDataDir(dir));
    expect(problem.code).toBe("forbidden");
    expect(problem.message).toBe(`${dir} is open to other users: mode ${mode}, it must be 700`);
    expect(problem.hint).toBe(`chmod 700 ${dir}`);
    expect(modeOf(dir).toString(8)).toBe(mode); // told, not mended behind the operator's back
  });

  test("is refused where it is a file, behind a dangling link, below a file, or has no name", () => {
    writeFileSync(dir, "");
    symlinkSync(join(base, "nowhere"), join(base, "dangling"));
    const messages = [dir, join(base, "dangling"), join(dir, "below"), ""].map(
      (path) => problemOf(() => prepareDataDir(path)).message,
    );
    expect(messages).toEqual([
      `the data directory ${dir} is not a directory`,
      `cannot use data directory ${join(base, "dangling")}: ENOENT`,
      `cannot create directory ${join(dir, "below")}: ENOTDIR`,
      "the data directory has no name",
    ]);
  });

  test("is known by its real path where it is reached by a link of one's own", () => {
    prepareDataDir(dir);
    symlinkSync(dir, join(base, "link"));
    expect(prepareDataDir(join(base, "link"))).toBe(dir);
  });

  test.skipIf(!isRoot)(`is refused behind another user's symbolic link ${ONLY_ROOT}`, () => {
    prepareDataDir(dir);
    const link = join(base, "link");
    symlinkSync(dir, link);
    lchownSync(link, 12345, 0);
    const problem = problemOf(() => prepareDataDir(link));
    expect(problem.code).toBe("forbidden");
    expect(problem.message).toBe(`the data directory ${link} is a symbolic link of user id 12345`);
  });

  test.skipIf(!isRoot)(`is refused where it belongs to another user ${ONLY_ROOT}`, () => {
    prepareDataDir(dir);
    chownSync(dir, 12345, 0);
    expect(problemOf(() => prepareDataDir(dir)).message).toBe(`${dir} belongs to user id 12345, Keybrake runs as 0`);
  });

  test("is refused where it belongs to another user, by the rule alone", () => {
    const own = process.geteuid!();
    const problem = exposureProblem(dir, { uid: own + 1, mode: 0o700 }, "directory");
    expect(problem?.message).toBe(`${dir} belongs to user id ${own + 1}, Keybrake runs as ${own}`);
    expect(problem?.hint).toBe(`run keybrake as its owner, or: chown ${own} ${dir}`);
    expect(exposureProblem(dir, { uid: own, mode: 0o700 }, "directory")).toBeUndefined();
  });
});

describe("the doctor's look at the files", () => {
  test("finds nothing in a directory as Keybrake makes it", () => {
    prepareDataDir(dir);
    writeFileSync(join(dir, "keybrake.db"), "");
    mkdirSync(join(dir, "policies"));
    writeFileSync(join(dir, "policies", "billing.yaml"), "", { mode: 0o644 });
    expect(checkFileModes(dir)).toEqual([]);
  });

  test("names every file and directory that others can reach, however deep, with the mending command", () => {
    prepareDataDir(dir);
    mkdirSync(join(dir, "backups"));
    writeFileSync(join(dir, "backups", "a b.db"), "");
    writeFileSync(join(dir, "keybrake.db-wal"), "");
    writeFileSync(join(dir, "billing.yaml"), "");
    chmodSync(join(dir, "backups"), 0o755);
    chmodSync(join(dir, "backups", "a b.db"), 0o644);
    chmodSync(join(dir, "keybrake.db-wal"), 0o640);
    chmodSync(join(dir, "billing.yaml"), 0o664);
    const hints = checkFileModes(dir).map((finding) => finding.hint);
    expect(hints.sort()).toEqual(
      [
        `chmod 600 '${dir}/backups/a b.db'`,
        `chmod 600 ${dir}/billing.yaml`,
        `chmod 600 ${dir}/keybrake.db-wal`,
        `chmod 700 ${dir}/backups`,
      ].sort(),
    );
  });

  test("finds a parent in which others could replace the directory, and not one with the sticky bit", () => {
    prepareDataDir(dir);
    chmodSync(base, 0o777);
    expect(checkFileModes(dir).map((finding) => finding.hint)).toEqual([`chmod go-w ${base}`]);
    chmodSync(base, 0o1777);
    expect(checkFileModes(dir)).toEqual([]);
  });

  test("finds what a killed start left", () => {
    prepareDataDir(dir);
    const draft = join(dir, "master.key.0123456789abcdef.new");
    writeFileSync(draft, "");
    expect(checkFileModes(dir).map((finding) => finding.hint)).toEqual([`rm ${draft}`]);
  });

  test("says so where there is no directory", () => {
    expect(checkFileModes(dir)).toEqual([
      { path: dir, message: `cannot look at ${dir}: ENOENT`, hint: "create the directory first" },
    ]);
  });
});

describe("a hint", () => {
  test.each([
    ["/var/lib/keybrake", "/var/lib/keybrake"],
    ["/a b/$(rm)", "'/a b/$(rm)'"],
    ["/it's", "'/it'\\''s'"],
  ])("can be pasted into a shell with the path %s", (path, word) => {
    expect(shellWord(path)).toBe(word);
  });
});
