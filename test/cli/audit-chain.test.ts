import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../../src/config.ts";
import { openInstallation } from "../../src/operate/installation.ts";
import { recordHistory } from "../audit/chain-history.ts";
import { Random } from "../audit/random.ts";
import { NOW_MS, PLACES, Terminal } from "./terminal.ts";
import { Transcript } from "./transcript.ts";

const DAY_MS = 86_400_000;

let terminal: Terminal;

/** Forty days of calls. */
beforeEach(async () => {
  terminal = new Terminal();
  const config = readConfig({ data: terminal.data, policies: join(terminal.data, "policies") }, {});
  const { store } = await openInstallation(config, { now: () => NOW_MS, elapsed: () => NOW_MS });
  await recordHistory(store, { calls: 40, random: new Random(2), from: NOW_MS - 40 * DAY_MS, stepMs: DAY_MS });
  await store.close();
});
afterEach(() => terminal.close());

function tamper(statement: string): void {
  const database = new Database(join(terminal.data, "keybrake.db"));
  database.run(statement);
  database.close();
}

const mask = (text: string) =>
  text.replaceAll(terminal.folder, "FOLDER").replace(/\b[0-9a-f]{64}\b/g, "<64 hex characters>");

test.each(PLACES)("%s: checking, exporting and pruning read as the golden transcript says", async (place) => {
  terminal.place = place;
  const file = join(terminal.folder, "audit.ndjson");
  const transcript = new Transcript(terminal);
  await transcript.type("audit verify");
  await transcript.type("audit verify --json");
  await transcript.type(`audit export --output ${file}`);
  await transcript.type(`audit export --output ${file}`);
  await transcript.type(`audit export --format csv --state settled --since 10d --output ${file}.csv`);
  await transcript.type("audit export --format table");
  await transcript.type(`audit verify --file ${file}`);
  await transcript.type(`audit verify --file ${file}`, "", {
    environment: { KEYBRAKE_DATA: `${terminal.folder}/none` },
  });
  await transcript.type("audit prune --older-than 30d");
  await transcript.type("audit prune --yes");
  await transcript.type("audit prune --older-than 30d --keep-days 3 --yes");
  await transcript.type("audit prune --older-than 30d --dry-run");
  await transcript.type("audit prune --keep-days 30 --yes");
  await transcript.type("audit prune --older-than 30d --yes --json");
  await transcript.type("audit verify");
  await transcript.type("audit verify --checkpoint nowhere");
  tamper("UPDATE audit_rows SET cost_micros = cost_micros + 1 WHERE chain_seq = 30");
  await transcript.type("audit verify");
  await transcript.type("audit prune --keep-days 1 --yes");
  tamper("DELETE FROM audit_rows WHERE chain_seq = 30");
  await transcript.type("audit verify --json");
  tamper("DELETE FROM audit_rows WHERE chain_seq >= 30");
  await transcript.type("audit verify");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('"exposure_usd":"', '"exposure_usd":"1'));
  await transcript.type(`audit verify --file ${file}`);
  transcript.expectGolden("audit-chain", mask);
});

test.each(PLACES)("%s: an export is for this user's eyes only, and CSV has its heads beside it", async (place) => {
  terminal.place = place;
  const file = join(terminal.folder, "audit.csv");
  await terminal.run(["audit", "export", "--format", "csv", "--output", file]);
  const heads = JSON.parse(readFileSync(`${file}.heads.json`, "utf8"));
  expect(heads.sha256).toBe(new Bun.CryptoHasher("sha256").update(readFileSync(file)).digest("hex"));
  for (const path of [file, `${file}.heads.json`]) expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("how far a check is shows on a terminal, and is gone at its end", async () => {
  const control = {
    verifyAudit: async ({ onProgress }: { onProgress?: (done: number, of: number) => void } = {}) => {
      onProgress?.(8192, 10_000_000);
      return {
        ok: true,
        count: 10_000_000,
        rows: 10_000_000,
        pruned_rows: 0,
        sum_usd: "1.00",
        head: "00",
        checkpoints: 3,
        finding: null,
      };
    },
  };
  const shown = await terminal.run(["audit", "verify"], "", { control, columns: 80 });
  expect(shown.err).toContain("\r\u001b[K8,192 of 10,000,000 (0 %) rows checked\r\u001b[K");
  expect(shown.out).toContain("10,000,000 rows, $1.00 in all, head 00, in accord with 3 checkpoints");
  expect((await terminal.run(["audit", "verify"], "", { control })).err).not.toContain("rows checked");
});
