import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rescueConfig } from "../../src/cli/config-rescue.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { ACME } from "../vendors/declared/declare.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** What is rescued of `yaml` beside a store; FOLDER in the text is the data directory. */
function rescue(yaml: string, environment: Readonly<Record<string, string>> = {}, hasStore = true) {
  const data = mkdtempSync(join(tmpdir(), "keybrake-rescue-"));
  folders.push(data);
  writeFileSync(join(data, "keybrake.yaml"), yaml.replaceAll("FOLDER", data));
  for (const name of ["keybrake.db", "other.db"]) if (hasStore) writeFileSync(join(data, name), "");
  try {
    const { config, leftOut } = rescueConfig({ data }, environment);
    return {
      config,
      store: config.storeUrl.replace(data, "FOLDER"),
      leftOut: leftOut.map((text) => text.replaceAll(data, "FOLDER")),
    };
  } catch (cause) {
    throw new Error((cause as Error).message.replaceAll(data, "FOLDER"));
  }
}

const FILE = "FOLDER/keybrake.yaml";

describe("of a broken keybrake.yaml", () => {
  test("every sound setting counts, and the others are named by file and line", () => {
    const { config, store, leftOut } = rescue(
      "store: sqlite:FOLDER/other.db\nlimits: { concurent_calls_max: 5 }\nretentoin_days: 9\nlisten: 9\nretention_days: 30",
    );
    expect({ store, retention: config.retentionDays }).toEqual({ store: "sqlite:FOLDER/other.db", retention: 30 });
    expect(leftOut).toEqual([
      expect.stringContaining(`${FILE}:2: limits.concurent_calls_max is not a setting`),
      expect.stringContaining(`${FILE}:3: retentoin_days is not a setting`),
      `${FILE}:4: listen is 9; it must be text`,
    ]);
  });

  test("broken vendors leave the built-in ones, and sound ones stay", () => {
    const broken = rescue("vendors:\n  acme: { origin: 5 }");
    expect(broken.config.vendors).toEqual(VENDORS);
    expect(broken.leftOut).toEqual([expect.stringMatching(/^FOLDER\/keybrake\.yaml:2:\d+: /)]);
    const sound = `lissten: 1\nprices: { acme: { acme.image: 1 } }\n${ACME}`;
    const { config, leftOut } = rescue(sound);
    expect({ vendors: config.vendors.length - VENDORS.length, lines: leftOut.length }).toEqual({
      vendors: 1,
      lines: 1,
    });
  });

  test("what is no YAML at all leaves the defaults, and says at which line", () => {
    const { store, leftOut } = rescue("# the store: not here\nretention_days: 30\n listen: [");
    expect(store).toBe("sqlite:");
    expect(leftOut).toEqual([
      expect.stringMatching(/^FOLDER\/keybrake\.yaml is not valid YAML: .* at line \d+, column \d+$/),
    ]);
  });
});

describe("an emergency stop on another store than the server's would be worse than none", () => {
  test.each([
    ["a store that is no text", "store: 5", "store is 5; it must be text"],
    ["a misspelt store", "stroe: sqlite:/elsewhere.db", "stroe is not a setting"],
    ["a misspelt master key file", "master_keyfile: /run/key", "master_keyfile is not a setting"],
    ["a store in what is no YAML", "listen: [\nstore: sqlite:/elsewhere.db", "it also says where the store"],
  ])("refuses %s", (_, yaml, message) => {
    expect(() => rescue(yaml)).toThrow(message);
  });

  test("refuses where there is no store yet", () => {
    expect(() => rescue("lissten: 1", {}, false)).toThrow("lissten is not a setting");
  });

  test("refuses what is wrong with the environment, which is no typo in the file", () => {
    expect(() => rescue("lissten: 1", { KEYBRAKE_LISTEN: "nowhere" })).toThrow('listen is "nowhere"');
  });
});
