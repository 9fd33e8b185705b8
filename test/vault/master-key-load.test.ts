import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "../../src/vault/crc32.ts";
import { createMasterKey, createMasterKeyFile, loadMasterKey, MasterKey } from "../../src/vault/master-key.ts";
import { problemOf } from "./problem-of.ts";

const isRoot = process.geteuid?.() === 0;
const BYTES = Uint8Array.from({ length: 32 }, (_, i) => 200 + i);

let dataDir: string;
let keyPath: string;
let credential: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "keybrake-master-key-"));
  keyPath = join(dataDir, "master.key");
  credential = join(dataDir, "credential");
});

afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const places = (more: { keyFile?: string; candidates?: string[] } = {}) => ({ dataDir, candidates: [], ...more });

function keyText(version: string, key: string): string {
  const checked = `keybrake-master-key v${version}\n${key}`;
  return `${checked}\n${crc32(checked).toString(16).padStart(8, "0")}\n`;
}

describe("a start", () => {
  test("is refused without a master key, and told where it was looked for", () => {
    const problem = problemOf(() => loadMasterKey(places({ candidates: [credential] })));
    expect(problem.code).toBe("not_found");
    expect(problem.message).toBe(`there is no master key: looked for ${keyPath}, ${credential}`);
  });

  test("is refused where the key file that the operator named is missing, though there is another", () => {
    createMasterKey(places());
    const keyFile = join(dataDir, "named.key");
    const problem = problemOf(() => loadMasterKey(places({ keyFile })));
    expect(problem.code).toBe("not_found");
    expect(problem.message).toBe(`there is no master key: looked for ${keyFile}`);
    expect(problemOf(() => createMasterKey(places({ keyFile }))).code).toBe("conflict");
  });

  test("takes the key from the file that the operator named", () => {
    const keyFile = join(dataDir, "named.key");
    const created = createMasterKey(places({ keyFile }));
    expect(loadMasterKey(places({ keyFile })).isSameAs(created)).toBe(true);
  });

  test("takes a credential that is readable to all, as Docker mounts it", () => {
    const created = createMasterKeyFile(credential);
    chmodSync(credential, 0o444);
    expect(loadMasterKey(places({ candidates: [credential] })).isSameAs(created)).toBe(true);
    expect(loadMasterKey(places({ keyFile: credential, candidates: [credential] })).isSameAs(created)).toBe(true);
  });

  test("is refused with a second key, both files and ids named", () => {
    const first = createMasterKey(places());
    const second = createMasterKeyFile(credential);
    const problem = problemOf(() => loadMasterKey(places({ candidates: [credential] })));
    expect(problem.code).toBe("conflict");
    expect(problem.message).toBe(
      `there is a second master key: ${keyPath} holds key ${first.id}, ${credential} holds key ${second.id}`,
    );
  });

  test("takes the same key from two places", () => {
    const key = createMasterKey(places());
    writeFileSync(credential, readFileSync(keyPath));
    expect(loadMasterKey(places({ candidates: [credential] })).isSameAs(key)).toBe(true);
  });

  test.each(["640", "604", "644", "660", "610", "602", "777"])(
    "is refused where others can reach the key file (mode %s)",
    (mode) => {
      createMasterKey(places());
      chmodSync(keyPath, Number.parseInt(mode, 8));
      const problem = problemOf(() => loadMasterKey(places()));
      expect(problem.code).toBe("forbidden");
      expect(problem.message).toBe(`${keyPath} is open to other users: mode ${mode}, it must be 600`);
      expect(problem.hint).toBe(`chmod 600 ${keyPath}`);
    },
  );

  test("is refused where others can reach the key file that the operator named", () => {
    const keyFile = join(dataDir, "named.key");
    createMasterKeyFile(keyFile);
    chmodSync(keyFile, 0o640);
    expect(problemOf(() => loadMasterKey(places({ keyFile }))).code).toBe("forbidden");
  });

  test.each(["600", "400"])("takes a key file of mode %s", (mode) => {
    createMasterKey(places());
    chmodSync(keyPath, Number.parseInt(mode, 8));
    expect(loadMasterKey(places())).toBeInstanceOf(MasterKey);
  });

  test.skipIf(!isRoot)("is refused with another user's key file (skipped unless root: only root can chown)", () => {
    createMasterKey(places());
    chownSync(keyPath, 12345, 0);
    const problem = problemOf(() => loadMasterKey(places()));
    expect(problem.code).toBe("forbidden");
    expect(problem.message).toBe(`${keyPath} belongs to user id 12345, Keybrake runs as 0`);
  });

  test("is refused with another user's key behind a symbolic link", () => {
    symlinkSync(isRoot ? foreignFile() : "/etc/passwd", keyPath);
    expect(problemOf(() => loadMasterKey(places())).message).toContain("belongs to user id");
  });

  function foreignFile(): string {
    const path = join(dataDir, "foreign");
    createMasterKeyFile(path);
    chownSync(path, 12345, 0);
    return path;
  }

  test.each([
    ["a directory", () => mkdirSync(keyPath, { mode: 0o700 })],
    ["a FIFO, at once", () => Bun.spawnSync(["mkfifo", "-m", "600", keyPath])],
  ])("is refused where the key file is %s", (_, make) => {
    make();
    expect(problemOf(() => loadMasterKey(places())).message).toBe(`${keyPath} is not a regular file`);
  });
});

describe("a damaged master key file", () => {
  const original = Buffer.from(keyText("1", Buffer.from(BYTES).toString("base64")));
  const load = (content: string | Uint8Array) => {
    writeFileSync(keyPath, content, { mode: 0o600 });
    return loadMasterKey(places());
  };

  test("is noticed whichever bit is flipped", () => {
    expect(load(original).isSameAs(new MasterKey(BYTES))).toBe(true);
    for (let bit = 0; bit < original.length * 8; bit++) {
      const flipped = Uint8Array.from(original);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const problem = problemOf(() => load(flipped));
      expect(problem.message).toBe(`${keyPath} is damaged: no whole master key is in it`);
      expect(problem.hint).toBe("put it back from its backup");
    }
  });

  test("is noticed wherever it is cut off, save for the last line break", () => {
    for (let length = 0; length < original.length - 1; length++) {
      expect(problemOf(() => load(original.subarray(0, length))).code).toBe("unavailable");
    }
    expect(load(original.subarray(0, -1)).isSameAs(new MasterKey(BYTES))).toBe(true);
  });

  test.each([
    ["31 bytes", keyText("1", Buffer.alloc(31).toString("base64"))],
    ["33 bytes", keyText("1", Buffer.alloc(33).toString("base64"))],
    ["two files in a row", original.toString() + original.toString()],
  ])("is noticed when it holds %s", (_, text) => {
    expect(problemOf(() => load(text)).message).toContain("is damaged");
  });

  test("of absurd size is refused by its limit", () => {
    expect(problemOf(() => load("x".repeat(1025))).message).toBe(`${keyPath} has more than 1024 bytes`);
  });

  test("is told from one of a newer format", () => {
    const problem = problemOf(() => load(keyText("2", "whatever")));
    expect(problem.message).toBe(`${keyPath} is a master key of format 2, this Keybrake reads format 1`);
  });
});
