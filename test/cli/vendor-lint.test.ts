import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ACME } from "../vendors/declared/declare.ts";
import { Terminal } from "./terminal.ts";

let terminal: Terminal;
let settings: string;
beforeEach(() => {
  terminal = new Terminal();
  settings = join(terminal.data, "keybrake.yaml");
  mkdirSync(terminal.data, { recursive: true, mode: 0o700 });
});
afterEach(() => terminal.close());

const WRONG = ACME.replace("origin:", "orgin:").replace("class: unknown", "class: unknwon");

describe("keybrake vendor lint", () => {
  test("shows every mistake of keybrake.yaml by line and column, and ends with 1", async () => {
    writeFileSync(settings, `listen: 127.0.0.1:1\n${WRONG}`);
    const { code, out, err } = await terminal.run(["vendor", "lint"], "", { environment: { NO_COLOR: "1" } });
    expect(code).toBe(1);
    expect(out.trimEnd().split("\n")).toEqual([
      `${settings}:5:5: error: "orgin" is not a field of acme; did you mean origin?`,
      expect.stringContaining('operations[1].class must be one of free, priced, closed, unknown, not "unknwon"'),
    ]);
    expect(err).toContain("0 sound vendors, 2 errors, 0 warnings");
  });

  test("ends with 0 where there is nothing to mend, for any file", async () => {
    const path = join(terminal.data, "acme.yaml");
    writeFileSync(path, ACME);
    const { code, out, err } = await terminal.run(["vendor", "lint", path, "--json"]);
    expect([code, JSON.parse(out)]).toEqual([0, []]);
    expect(err).toBe("");
    const said = await terminal.run(["vendor", "lint", path]);
    expect(said.err).toContain("1 sound vendor (acme), 0 errors, 0 warnings");
  });

  test("says of a file that declares no vendor that it declares none", async () => {
    writeFileSync(settings, "listen: 127.0.0.1:1\n");
    const { code, out, err } = await terminal.run(["vendor", "lint"]);
    expect([code, out]).toEqual([0, ""]);
    expect(err).toBe(`keybrake: ${settings} declares no vendor: it has nothing under vendors\n`);
  });

  test("says what to do where there is no such file", async () => {
    for (const argv of [
      ["vendor", "lint"],
      ["vendor", "lint", "nothing.yaml"],
    ]) {
      const { code, err } = await terminal.run(argv);
      expect(code).toBe(1);
      expect(err).toMatch(/keybrake: error: (there is no|cannot read) .*\.yaml/);
    }
  });
});

describe("a vendor that keybrake.yaml declares", () => {
  beforeEach(() => writeFileSync(settings, ACME));

  test("is listed, set up and given to a key like any other", async () => {
    const set = await terminal.run(["vendor", "set", "acme"], "acme_real_secret");
    expect([set.code, set.err]).toEqual([0, expect.stringContaining("takes it up when it is started anew")]);
    const listed = JSON.parse((await terminal.run(["vendor", "list", "--json"])).out) as readonly { name: string }[];
    expect(listed.find(({ name }) => name === "acme")).toMatchObject({
      configured: true,
      origin: "https://api.acme.example",
    });
    const policy = ["--daily-usd-cap", "5", "--allowed-endpoints", "POST /acme-api/images", "--expires-in", "1h"];
    const issued = await terminal.run(["key", "issue", "--vendor", "acme", ...policy, "--json"]);
    expect(issued.code).toBe(0);
    const key = JSON.parse(issued.out) as Record<string, unknown>;
    expect(key["environment"]).toEqual({ ACME_API_KEY: key["vault_key"], ACME_BASE_URL: key["base_url"] });
    expect(JSON.stringify(key["agent_lines"])).toContain("Authorization: Token vault_key_");
    const explained = await terminal.run([
      ...["policy", "explain", "--key", String(key["id"]), "POST /acme-api/images", "-d", '{"n": 3}', "--json"],
    ]);
    expect(JSON.parse(explained.out)).toMatchObject({ verdict: "allowed", exposure_usd: "0.12" });
  });

  test("can be named in a template, which is held against its operations", async () => {
    const path = join(terminal.data, "images.yaml");
    writeFileSync(path, "vendor: acme\nexpires_in: 1h\nallowed_endpoints: [POST /acme-api/images, GET /nothing]\n");
    const { code, out } = await terminal.run(["policy", "lint", path, "--json"]);
    expect(code).toBe(0);
    const said = (JSON.parse(out) as readonly { message: string }[]).map(({ message }) => message);
    expect(said).toEqual([
      expect.stringContaining("costs money and there is no cap"),
      expect.stringContaining("is no operation that Keybrake knows of Acme"),
    ]);
  });

  test("stops every command where it is wrong, with the place to mend", async () => {
    writeFileSync(settings, WRONG);
    const { code, err } = await terminal.run(["vendor", "list"]);
    expect(code).toBe(1);
    expect(err).toContain(`${settings}:4:5: "orgin" is not a field of acme; did you mean origin? (and 1 more)`);
    expect(err).toContain(`keybrake: hint: \`keybrake vendor lint ${settings}\` shows every error`);
  });

  test("leaves a secret that can still be removed when its declaration is gone", async () => {
    await terminal.run(["vendor", "set", "acme"], "acme_real_secret");
    writeFileSync(settings, "");
    expect((await terminal.run(["vendor", "test", "acme"])).err).toContain('there is no vendor "acme"');
    expect((await terminal.run(["vendor", "remove", "acme"])).out).toBe("acme is removed\n");
    expect((await terminal.run(["vendor", "remove", "acme"])).out).toBe("acme had no secret; nothing has changed\n");
    expect((await terminal.run(["vendor", "remove", "acne"])).code).toBe(1);
  });
});
