import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifyExportFile } from "../../src/operate/verify-export.ts";
import type { AuditFilter } from "../../src/store/store.ts";
import { recordHistory } from "../audit/chain-history.ts";
import { Random } from "../audit/random.ts";
import { type Installed, install, START_MS } from "./installed.ts";

let installed: Installed;

beforeEach(async () => {
  installed = await install();
  await recordHistory(installed.store, { calls: 150, random: new Random(4), from: START_MS, stepMs: 1_000_000 });
  installed.clock.nowMs = START_MS + 3 * 86_400_000;
});
afterEach(() => installed.close());

async function exported(filter: AuditFilter = {}, format: "ndjson" | "csv" = "ndjson"): Promise<string> {
  let text = "";
  for await (const chunk of installed.control.exportAudit({ filter, format }).chunks) text += chunk;
  return text;
}

async function check(text: string, key: Uint8Array | undefined = installed.chainKey) {
  const path = join(installed.dataDir, "export.ndjson");
  writeFileSync(path, text);
  return verifyExportFile(path, key);
}

const rowsOf = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("an export", () => {
  test("of everything is the chain in its order, and checks out with the key and without", async () => {
    const text = await exported();
    const { count, sum_usd } = await installed.control.verifyAudit();
    const rows = rowsOf(text).slice(0, -1);
    expect(rows.map(({ chain_seq }) => chain_seq)).toEqual(rows.map((_, index) => index + 1));
    expect(rows).toHaveLength(count);
    expect(await check(text)).toEqual({
      ok: true,
      rows: count,
      sum_usd,
      complete: true,
      hashes_checked: true,
      finding: null,
    });
    expect(await installed.control.verifyExport(join(installed.dataDir, "export.ndjson"))).toMatchObject({ ok: true });
    expect(await verifyExportFile(join(installed.dataDir, "export.ndjson"), undefined)).toMatchObject({
      ok: true,
      hashes_checked: false,
    });
  });

  test("has in each row the very text that was hashed, for any tool that knows HMAC-SHA256", async () => {
    for (const { prev_hash, hashed, hash } of rowsOf(await exported()).slice(0, -1)) {
      const hmac = createHmac("sha256", installed.chainKey).update(Buffer.from(prev_hash, "hex")).update(hashed);
      expect(hmac.digest("hex")).toBe(hash);
    }
  });

  test("of a selection can be checked row by row, and says that it is one", async () => {
    const text = await exported({ state: "settled" });
    expect(rowsOf(text).at(-1).keybrake_export).toMatchObject({ filter: { state: "settled" } });
    expect(await check(text)).toMatchObject({ ok: true, complete: false });
  });

  test("after retention has the heads of what is gone, also around an unresolved call", async () => {
    const { rows: pruned } = await installed.control.pruneAudit({ olderThanMs: 86_400_000 });
    expect(pruned).toBeGreaterThan(10);
    const text = await exported();
    expect(rowsOf(text).at(-1).keybrake_export.pruned.length).toBeGreaterThan(1);
    expect(await check(text)).toMatchObject({ ok: true, complete: true });
    expect(await verifyExportFile(join(installed.dataDir, "export.ndjson"), undefined)).toMatchObject({ ok: true });
  });

  test("as CSV has the same columns, and its heads apart with the hash of the file", async () => {
    const made = installed.control.exportAudit({ filter: {}, format: "csv" });
    let text = "";
    for await (const chunk of made.chunks) text += chunk;
    expect(text.split("\r\n")[0]).toEndWith(",prev_hash,hash,chain_seq,hashed");
    expect(made.heads()).toMatchObject({ sha256: new Bun.CryptoHasher("sha256").update(text).digest("hex") });
    expect(await check(text)).toMatchObject({ ok: false });
  });
});

/** What is done to the lines, and what is said of it with the key. */
const TAMPERINGS: readonly (readonly [string, (lines: string[]) => void, RegExp])[] = [
  [
    "a dollar amount",
    (lines) => change(lines, 4, '"exposure_usd":"', '"exposure_usd":"1'),
    /not those that were hashed/,
  ],
  [
    "the hashed text alone",
    (lines) => change(lines, 4, "ray-billing/01\\", "ray-billing/02\\"),
    /not those that were hashed/,
  ],
  ["both alike", (lines) => changeAll(lines, 4, "ray-billing/01", "ray-billing/02"), /hash is not that of its columns/],
  ["a row that is gone", (lines) => void lines.splice(5, 1), /closing line|missing/],
  [
    "two rows in another order",
    (lines) => void lines.splice(5, 2, lines[6]!, lines[5]!),
    /closing line|prev_hash|missing/,
  ],
  ["the newest row gone", (lines) => void lines.splice(-2, 1), /closing line/],
  ["no closing line", (lines) => void lines.pop(), /closing line is missing/],
  [
    "a closing line with another sum",
    (lines) => change(lines, -1, '"cost_micros":"', '"cost_micros":"1'),
    /not signed/,
  ],
  ["a line that is no JSON", (lines) => void lines.splice(3, 0, "nonsense"), /no JSON object/],
];

function change(lines: string[], index: number, from: string, to: string): void {
  const line = lines.at(index)!;
  expect(line).toContain(from);
  lines[index < 0 ? lines.length + index : index] = line.replace(from, to);
}

function changeAll(lines: string[], index: number, from: string, to: string): void {
  lines[index] = lines[index]!.replaceAll(from, to);
}

describe("a file that was tampered with is found out:", () => {
  test.each(TAMPERINGS)("%s", async (_, tamper, message) => {
    const lines = (await exported()).trimEnd().split("\n");
    tamper(lines);
    const verdict = await check(`${lines.join("\n")}\n`);
    expect(verdict.ok).toBe(false);
    expect(verdict.finding!.message).toMatch(message);
  });

  test("one of another installation, by the first row", async () => {
    const { finding } = await check(await exported(), new Uint8Array(32));
    expect(finding).toMatchObject({ line: 1 });
  });
});
