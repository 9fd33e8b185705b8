import { describe, expect, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem } from "../../src/core/problem.ts";
import type { LogFields } from "../../src/log.ts";
import { guardStore, identityOf, StoreWatch } from "../../src/operate/store-watch.ts";
import type { Store } from "../../src/store/store.ts";

const PATH = "/data/keybrake.db";

/** A watch over files that are only names and identities here, with what it has logged. */
function watchOver(files: Map<string, string>) {
  const lines: { event: string; fields: LogFields | undefined }[] = [];
  const write = (event: string, fields?: LogFields) => void lines.push({ event, fields });
  const watch = new StoreWatch(
    PATH,
    { info: write, error: write },
    (path) => files.get(path),
    (path) => files.has(path),
  );
  return { watch, lines, events: () => lines.map(({ event }) => event) };
}

const opened = () => new Map(["", "-wal", "-shm"].map((part) => [`${PATH}${part}`, `inode of ${part}`]));

describe("the store's files", () => {
  test("may be used while they are the ones that were opened", () => {
    const { watch, lines } = watchOver(opened());
    expect(watch.cause()).toBeUndefined();
    expect(lines).toEqual([]);
  });

  test.each(["", "-wal", "-shm"])("are refused while %j is gone, and serve again when the same is back", (part) => {
    const files = opened();
    const { watch, lines, events } = watchOver(files);
    files.delete(`${PATH}${part}`);
    for (let look = 0; look < 3; look++) expect(watch.cause()).toBe(`${PATH}${part} is gone`);
    expect(lines[0]?.fields).toMatchObject({ hint: expect.stringContaining("moved back") });
    files.set(`${PATH}${part}`, `inode of ${part}`);
    expect(watch.cause()).toBeUndefined();
    expect(events()).toEqual(["store_unavailable", "store_back"]);
  });

  test.each(["", "-wal", "-shm"])(
    "are refused until a restart once %j was another file, also after the first is back",
    (part) => {
      const files = opened();
      const { watch, lines, events } = watchOver(files);
      files.set(`${PATH}${part}`, "another inode");
      expect(watch.cause()).toBe(`${PATH}${part} is another file than the one that was opened`);
      files.set(`${PATH}${part}`, `inode of ${part}`);
      expect(watch.cause()).toBe(`${PATH}${part} is another file than the one that was opened`);
      expect(events()).toEqual(["store_unavailable"]);
      expect(lines[0]?.fields).toMatchObject({ hint: expect.stringContaining("restarted") });
    },
  );

  test("may come later: a WAL is known from when it is first seen", () => {
    const files = new Map([[PATH, "inode"]]);
    const { watch } = watchOver(files);
    files.set(`${PATH}-wal`, "inode of the WAL");
    expect(watch.cause()).toBeUndefined();
    files.set(`${PATH}-wal`, "another inode");
    expect(watch.cause()).toContain("-wal is another file");
  });
});

test("a file keeps its identity when it is moved, and a copy of the same name has another", () => {
  const folder = mkdtempSync(join(tmpdir(), "keybrake-watch-"));
  try {
    const [path, elsewhere] = [join(folder, "a"), join(folder, "b")] as const;
    writeFileSync(path, "1");
    const identity = identityOf(path);
    renameSync(path, elsewhere);
    expect(identityOf(path)).toBeUndefined();
    expect(identityOf(elsewhere)).toBe(identity);
    writeFileSync(path, "1");
    expect(identityOf(path)).not.toBe(identity);
    expect(identityOf(join(path, "not a directory"))).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describe("a guarded store", () => {
  const store = (work: () => void) => {
    const apply = async () => {
      work();
      return [];
    };
    return { kind: "sqlite", apply, findKeyByHash: async () => undefined } as unknown as Store;
  };

  test("does nothing while its files are gone", async () => {
    const files = opened();
    let applied = 0;
    const guarded = guardStore(
      store(() => applied++),
      watchOver(files).watch,
    );
    expect(await guarded.apply([], 0)).toEqual([]);
    files.clear();
    await expect(guarded.apply([], 0)).rejects.toThrow(Problem);
    expect(applied).toBe(1);
    expect(await guarded.findKeyByHash(new Uint8Array())).toBeUndefined();
    expect(guarded.kind).toBe("sqlite");
  });

  test("is not asked again while its files are others, and says so after the first batch on them", async () => {
    const files = opened();
    let applied = 0;
    const guarded = guardStore(
      store(() => applied++),
      watchOver(files).watch,
    );
    files.set(`${PATH}-wal`, "another inode");
    for (let batch = 0; batch < 3; batch++) {
      await expect(guarded.apply([], 0)).rejects.toMatchObject({ code: "unavailable" });
    }
    expect(applied).toBe(1);
  });

  test("does not say that a batch is durable when its file went away meanwhile", async () => {
    const files = opened();
    const guarded = guardStore(
      store(() => files.clear()),
      watchOver(files).watch,
    );
    await expect(guarded.apply([], 0)).rejects.toMatchObject({ code: "unavailable" });
  });
});
