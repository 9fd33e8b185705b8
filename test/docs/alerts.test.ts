import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { webhookMessage } from "../../src/alerts/message.ts";
import { testNews } from "../../src/alerts/news.ts";
import { ALERT_TYPES } from "../../src/core/alert-event.ts";
import { Secret } from "../../src/core/secret.ts";
import { readPages } from "./page.ts";

const folder = mkdtempSync(join(tmpdir(), "keybrake-docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { blocks } = readPages().find(({ path }) => path === "docs/alerts.md")!;
const blockOf = (language: string) => blocks.find((block) => block.language === language)!.text;

/** The right message, and the ways in which one can be wrong. */
function messages(): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isOurs: boolean;
}[] {
  const now = Date.now();
  const secret = new Secret("whsec_docs");
  const good = webhookMessage(testNews(7), secret, now);
  const old = webhookMessage(testNews(7), secret, now - 301_000);
  return [
    { ...good, isOurs: true },
    { ...good, body: `${good.body} `, isOurs: false },
    { ...webhookMessage(testNews(7), new Secret("another"), now), isOurs: false },
    { ...old, isOurs: false },
    { ...old, headers: { ...old.headers, "x-keybrake-timestamp": String(Math.floor(now / 1000)) }, isOurs: false },
    { ...good, headers: { "x-keybrake-timestamp": good.headers["x-keybrake-timestamp"]! }, isOurs: false },
  ];
}

test("the lines for Node tell our messages from all others", async () => {
  const path = join(folder, "verify.mjs");
  writeFileSync(path, blockOf("js"));
  const { isFromKeybrake } = (await import(path)) as {
    isFromKeybrake(secret: string, headers: Readonly<Record<string, string>>, body: string): boolean;
  };
  const given = messages();
  expect(given.map(({ headers, body }) => isFromKeybrake("whsec_docs", headers, body))).toEqual(
    given.map(({ isOurs }) => isOurs),
  );
});

test.skipIf(Bun.which("python3") === null)("the lines for Python do, too", async () => {
  const path = join(folder, "verify.py");
  const run = `
import json, sys
print(json.dumps([is_from_keybrake("whsec_docs", m["headers"], m["body"].encode()) for m in json.load(sys.stdin)]))`;
  writeFileSync(path, blockOf("python") + run);
  const given = messages();
  const child = Bun.spawn(["python3", path], { stdin: Buffer.from(JSON.stringify(given)), stdout: "pipe" });
  expect(JSON.parse(await new Response(child.stdout).text())).toEqual(given.map(({ isOurs }) => isOurs));
});

test("every event has a row and an example that is named like it", () => {
  const examples = JSON.parse(blockOf("json")) as { id: string; type: string }[];
  expect(examples.map(({ type }) => type)).toEqual([...ALERT_TYPES]);
  for (const { id, type } of examples) expect(id).toStartWith(`${type}:`);
});
