import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PriceView } from "../../src/operate/vendor-prices.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { PLACES, Terminal } from "./terminal.ts";
import { Transcript } from "./transcript.ts";

let terminal: Terminal;
beforeEach(() => {
  terminal = new Terminal();
});
afterEach(() => terminal.close());

const COMMAND = ["vendor", "prices"];

/** The environment in which keybrake.yaml says this. */
function configured(yaml: string) {
  const path = join(terminal.folder, "own.yaml");
  writeFileSync(path, yaml);
  return { environment: { KEYBRAKE_CONFIG: path } };
}

test.each(PLACES)("%s: a vendor's prices read as the golden transcript says", async (place) => {
  terminal.place = place;
  const transcript = new Transcript(terminal);
  const own = configured(
    "prices:\n  twilio: { twilio.sms.+44: 0.0524, twilio.sms.+49: 0.11, twilio.verify.call: 0 }\n",
  );
  await transcript.type("vendor prices resend");
  await transcript.type("vendor prices resend --json");
  await transcript.type("vendor prices stripe", "", { columns: 80 });
  await transcript.type("vendor prices twilio", "", own);
  await transcript.type("vendor prices twilio --all", "", { ...own, columns: 100 });
  await transcript.type("vendor prices shopify");
  await transcript.type("vendor prices resned");
  const misspelt = configured("prices:\n  twilio:\n    twilio.smss.+44: 0.0524\n");
  await transcript.type("vendor prices twilio", "", { ...misspelt, local: "no server starts with it" });
  await transcript.type("serve", "", { ...misspelt, local: "a server is started here" });
  const plain = (text: string) => text.replaceAll(/\u001b\[\d+m/g, "").replaceAll(terminal.folder, "FOLDER");
  transcript.expectGolden("vendor-prices", plain);
});

describe.each(VENDORS.map(({ name }) => name))("keybrake vendor prices %s", (name) => {
  test("fits every terminal", async () => {
    for (const columns of [60, 80, 120, 200]) {
      const { code, out } = await terminal.run([...COMMAND, name, "--all"], "", { columns });
      expect(code).toBe(0);
      const lines = out.trimEnd().split("\n");
      expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(columns);
    }
  });
});

test("--all has every prefix of every table, and nothing twice", async () => {
  const listed = async (...flags: readonly string[]) =>
    JSON.parse((await terminal.run([...COMMAND, "twilio", "--json", ...flags])).out) as readonly PriceView[];
  const [some, all] = [await listed(), await listed("--all")];
  const tables = some.filter(({ prefixes }) => prefixes !== null);
  expect(tables.map(({ name }) => name)).toEqual(["twilio.mms.+…", "twilio.sms.+…", "twilio.voice.+…"]);
  for (const { name, prefixes, usd, usd_max } of tables) {
    const lines = all.filter((line) => line.name.startsWith(name.slice(0, -1)) && line.usd !== null);
    expect(lines.length).toBe(prefixes!);
    expect(lines.map((line) => line.usd)).toContain(usd!);
    expect(lines.map((line) => line.usd)).toContain(usd_max!);
  }
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
});

test("needs no data directory and makes none", async () => {
  expect((await terminal.run([...COMMAND, "stripe"])).code).toBe(0);
  expect(existsSync(terminal.data)).toBe(false);
});

test("never repeats a secret that was typed in place of the vendor", async () => {
  const { code, out, err } = await terminal.run([...COMMAND, "sk_test_real_secret"]);
  expect(code).toBe(2);
  expect(out + err).not.toContain("real_secret");
});
