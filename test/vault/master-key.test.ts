import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import {
  createMasterKey,
  createMasterKeyFile,
  loadMasterKey,
  MasterKey,
  readMasterKeyFile,
} from "../../src/vault/master-key.ts";
import { isAbandonedDraft } from "../../src/vault/private-file.ts";
import { problemOf } from "./problem-of.ts";

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

describe("the master key file", () => {
  test("is created with mode 600, whatever the umask, and nothing beside it", () => {
    const umask = process.umask(0);
    try {
      createMasterKey(places());
    } finally {
      process.umask(umask);
    }
    expect(statSync(keyPath).mode & 0o777).toBe(0o600);
    expect(readdirSync(dataDir)).toEqual(["master.key"]);
  });

  test("holds a header with the version, 32 bytes in base64 and a checksum", () => {
    const key = createMasterKey(places());
    const [header, base64, checksum] = readFileSync(keyPath, "latin1").split("\n");
    expect(header).toBe("keybrake-master-key v1");
    const bytes = Buffer.from(base64!, "base64");
    expect(bytes).toHaveLength(32);
    expect(checksum).toMatch(/^[0-9a-f]{8}$/);
    expect(key.isSameAs(new MasterKey(bytes))).toBe(true);
  });

  test("is on disk before it has its name, and its name before create returns", () => {
    const steps: string[] = [];
    const { fsyncSync, linkSync } = fs;
    const spies = [
      spyOn(fs, "fsyncSync").mockImplementation((fd) => {
        const synced = fs.fstatSync(fd);
        steps.push(synced.isDirectory() ? "sync directory" : `sync ${synced.size} bytes`);
        fsyncSync(fd);
      }),
      spyOn(fs, "linkSync").mockImplementation((from, to) => {
        steps.push("name");
        linkSync(from, to);
      }),
    ];
    try {
      createMasterKey(places());
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    expect(steps).toEqual([`sync ${statSync(keyPath).size} bytes`, "name", "sync directory"]);
  });

  test("gives the same key on every load", () => {
    const created = createMasterKey(places());
    expect(loadMasterKey(places()).isSameAs(created)).toBe(true);
  });

  test("is another one each time", () => {
    const first = createMasterKeyFile(join(dataDir, "one"));
    expect(createMasterKeyFile(join(dataDir, "two")).isSameAs(first)).toBe(false);
  });

  test("is not created twice, and the first stays", () => {
    const first = createMasterKey(places());
    for (const again of [() => createMasterKey(places()), () => createMasterKeyFile(keyPath)]) {
      const problem = problemOf(again);
      expect(problem.code).toBe("conflict");
      expect(problem.message).toBe(`${keyPath} holds a master key already, a second one is not created`);
    }
    expect(loadMasterKey(places()).isSameAs(first)).toBe(true);
    expect(readdirSync(dataDir)).toEqual(["master.key"]);
  });

  test("is not created over a damaged one", () => {
    writeFileSync(keyPath, "", { mode: 0o600 });
    expect(problemOf(() => createMasterKey(places())).message).toBe(
      `${keyPath} is damaged: no whole master key is in it`,
    );
    expect(problemOf(() => createMasterKeyFile(keyPath)).code).toBe("conflict");
  });

  test("is not created through a dangling symbolic link", () => {
    symlinkSync(join(dataDir, "elsewhere"), keyPath);
    expect(problemOf(() => createMasterKey(places())).code).toBe("conflict");
    expect(readdirSync(dataDir)).toEqual(["master.key"]);
  });

  test("is not created beside a credential that is handed over", () => {
    createMasterKeyFile(credential);
    const problem = problemOf(() => createMasterKey(places({ candidates: [credential] })));
    expect(problem.code).toBe("conflict");
    expect(problem.message).toContain(credential);
    expect(readdirSync(dataDir)).toEqual(["credential"]);
  });

  test("names the directory and the reason where it cannot be created", () => {
    const problem = problemOf(() => createMasterKeyFile(join(dataDir, "missing", "master.key")));
    expect(problem.code).toBe("unavailable");
    expect(problem.message).toBe(`cannot create ${join(dataDir, "missing", "master.key")}: ENOENT`);
    expect(problem.hint).toBe("create the directory first");
  });
});

describe("processes that start at once", () => {
  test("make one master key between them, and the others find it whole", async () => {
    const dirs = Array.from({ length: 20 }, (_, i) => join(dataDir, `d${i}`));
    for (const dir of dirs) mkdirSync(dir);
    const racers = [1, 2].map(() =>
      Bun.spawn([process.execPath, join(import.meta.dir, "create-key-race.ts"), ...dirs], {
        stdin: "pipe",
        stdout: "pipe",
        stderr: "pipe",
      }),
    );
    const outputs = racers.map((racer) => lineReader(racer.stdout));
    expect(await Promise.all(outputs.map((next) => next()))).toEqual(["ready", "ready"]);
    for (const dir of dirs) {
      for (const racer of racers) {
        racer.stdin.write("go\n");
        racer.stdin.flush();
      }
      const outcomes = (await Promise.all(outputs.map((next) => next()))).map((line) => line.split(" "));
      expect(outcomes.map(([outcome]) => outcome).sort()).toEqual(["lost", "won"]);
      expect(new Set(outcomes.map(([, id]) => id)).size).toBe(1);
      expect(readdirSync(dir)).toEqual(["master.key"]);
    }
    for (const racer of racers) racer.stdin.end();
    const errors = await Promise.all(racers.map((racer) => new Response(racer.stderr).text()));
    expect(errors).toEqual(["", ""]);
  });

  /** Gives a stream's next line on each call; the racers answer with one line at a time. */
  function lineReader(stream: ReadableStream<Uint8Array>): () => Promise<string> {
    const reader = stream.getReader();
    return async () => {
      let text = "";
      while (!text.endsWith("\n")) {
        const { value, done } = await reader.read();
        if (done) throw new Error("a racer ended early");
        text += Buffer.from(value);
      }
      return text.trimEnd();
    };
  }
});

describe("a master key in memory", () => {
  const key = new MasterKey(BYTES);

  test("has an id that is a hash of its own domain", () => {
    const hash = createHash("sha256").update("keybrake master key id\0").update(BYTES).digest("hex");
    expect(key.id).toBe(hash.slice(0, 8));
    expect(key.id).not.toBe(createHash("sha256").update(BYTES).digest("hex").slice(0, 8));
  });

  test("does not show in any way of printing it", () => {
    const error = new Error(`failed with ${key}`, { cause: key });
    const shown = [
      JSON.stringify({ key }),
      String(key),
      `${key}`,
      inspect(key, { showHidden: true, depth: 9 }),
      inspect(key, { customInspect: false, showHidden: true, depth: 9 }),
      inspect({ nested: { key } }, { depth: 9 }),
      Bun.inspect(key),
      Bun.inspect([key]),
      inspect(error),
      String(error),
      JSON.stringify(Object.entries(key)),
      JSON.stringify(structuredClone(Object.assign({}, key))),
    ];
    expect(shown.slice(0, 4)).toEqual(['{"key":"[redacted]"}', "[redacted]", "[redacted]", "[redacted]"]);
    const bytes = Buffer.from(BYTES);
    const encodings = [
      bytes.toString("hex"),
      bytes.toString("base64"),
      bytes.toString("latin1"),
      "200,201",
      "200, 201",
    ];
    for (const text of shown) {
      for (const encoding of encodings) expect(text).not.toContain(encoding.slice(0, 20));
    }
  });

  test("keeps its own copy of the bytes", () => {
    const bytes = Uint8Array.from(BYTES);
    const copy = new MasterKey(bytes);
    bytes.fill(0);
    expect(copy.isSameAs(key)).toBe(true);
  });

  test("is refused with another length than 32 bytes", () => {
    expect(() => new MasterKey(new Uint8Array(16))).toThrow("a master key has 32 bytes");
  });
});

describe("a killed start", () => {
  test("leaves a draft that is told apart by its name and never read as the key", () => {
    writeFileSync(join(dataDir, "master.key.0123456789abcdef.new"), "", { mode: 0o600 });
    expect(isAbandonedDraft("master.key.0123456789abcdef.new")).toBe(true);
    expect(isAbandonedDraft("master.key")).toBe(false);
    expect(readMasterKeyFile(keyPath, { strict: true })).toBeUndefined();
    expect(createMasterKey(places())).toBeInstanceOf(MasterKey);
  });
});
