import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../src/config.ts";

const folder = mkdtempSync(join(tmpdir(), "keybrake-config-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const URL_OF_STORE = "postgres://keybrake:pass-word@db.example:5432/keybrake";

function fileOf(content: string): string {
  const path = join(folder, "store-url");
  writeFileSync(path, content);
  return path;
}

const storeUrl = (environment: Record<string, string>, store?: string) =>
  readConfig({ data: folder, store }, environment).storeUrl;

describe("KEYBRAKE_STORE_FILE", () => {
  test("holds the URL of the store, with a line end or without", () => {
    for (const content of [URL_OF_STORE, `${URL_OF_STORE}\n`]) {
      expect(storeUrl({ KEYBRAKE_STORE_FILE: fileOf(content) })).toBe(URL_OF_STORE);
    }
  });

  test("stands under --store, which needs no sound file, and above keybrake.yaml", () => {
    writeFileSync(join(folder, "keybrake.yaml"), "store: 'sqlite:'\n");
    expect(storeUrl({ KEYBRAKE_STORE_FILE: fileOf(URL_OF_STORE) })).toBe(URL_OF_STORE);
    expect(storeUrl({ KEYBRAKE_STORE_FILE: join(folder, "none") }, "sqlite:")).toBe("sqlite:");
    rmSync(join(folder, "keybrake.yaml"));
  });

  test.each([
    ["beside KEYBRAKE_STORE", { KEYBRAKE_STORE: "sqlite:" }, URL_OF_STORE, "both KEYBRAKE_STORE and"],
    ["that is empty", {}, "\n", "it has nothing in it"],
    ["with a second line", {}, `${URL_OF_STORE}\npass-word`, "it has more than a URL in it"],
  ])("is refused %s, and tells nothing of what is in it", (_title, environment, content, message) => {
    let said = "";
    try {
      storeUrl({ ...environment, KEYBRAKE_STORE_FILE: fileOf(content) });
    } catch (problem) {
      said = (problem as Error).message;
    }
    expect(said).toContain(message);
    expect(said).not.toContain("pass-word");
  });

  test("that is not there stops the start: another store would be an empty one", () => {
    expect(() => storeUrl({ KEYBRAKE_STORE_FILE: join(folder, "none") })).toThrow("cannot be read: ENOENT");
  });
});
