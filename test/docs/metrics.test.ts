import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { type Bench, eventually, makeBench } from "../harness/keybrake.ts";
import { readMetrics } from "../harness/metrics-text.ts";
import { inlineCode, readPages, section, tableRows } from "./page.ts";

const page = readPages().find(({ path }) => path === "docs/metrics.md")!;
const blockOf = (name: string) => page.blocks.find(({ text }) => text.startsWith(`# ${name}`))!.text;
/** Each metric of the table with its labels. */
const rows = tableRows(section(page, "Metrics")).flatMap(([names = "", labels = ""]) =>
  inlineCode(names)
    .filter((name) => /^(?:keybrake|process)_/.test(name))
    .map((name) => [name, inlineCode(labels)] as const),
);

let bench: Bench;
let text: string;
const folder = mkdtempSync(join(tmpdir(), "keybrake-docs-"));

beforeAll(async () => {
  bench = await makeBench();
  const policies = join(bench.dataDir, "policies");
  mkdirSync(policies, { recursive: true, mode: 0o700 });
  const family = '{ name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 5 }';
  writeFileSync(join(policies, "budgets.yaml"), `budgets: [${family}]\n`);
  const server = await bench.serve(["--sandbox"]);
  const issued = ["key", "issue", "--vendor", "stripe", "--allowed-endpoints", "* /**", "--expires-in", "1h"];
  const key = await bench.json<{ vault_key: string }>([...issued, "--daily-usd-cap", "5"]);
  await fetch(`${server.url}/stripe/v1/customers`, { headers: { authorization: `Bearer ${key.vault_key}` } });
  text = await eventually(async () => {
    const found = await (await fetch(`${server.url}/metrics`)).text();
    return found.includes("keybrake_forward_seconds") && found.includes("keybrake_budget_used_ratio")
      ? found
      : undefined;
  });
});
afterAll(async () => {
  await bench.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("the table has every metric that a server shows, with its labels, and no other", () => {
  const shown = new Map<string, readonly string[]>();
  for (const at of readMetrics(text).series.keys()) {
    const [written = "", labels = ""] = at.split("{", 2);
    const name = written.replace(/_(?:bucket|sum|count)$/, "");
    const names = [...labels.matchAll(/([a-z]+)="/g)].map((match) => match[1]!);
    shown.set(name, names.filter((label) => label !== "le").sort());
  }
  // Only where traces are configured.
  const traced = ["keybrake_spans_total"];
  const documented = rows.filter(([name]) => !traced.includes(name)).map(([name, labels]) => [name, labels.toSorted()]);
  expect(new Map(documented as [string, string[]][])).toEqual(new Map(shown as Map<string, string[]>));
});

describe("the examples", () => {
  test("ask only for metrics and verdicts that there are", () => {
    const known = new Set(rows.map(([name]) => name));
    const rules = parse(blockOf("keybrake-rules.yml")) as { groups: { rules: { expr: string }[] }[] };
    for (const { expr } of rules.groups.flatMap((group) => group.rules)) {
      const names = [...expr.matchAll(/keybrake_[a-z_]+/g)].map((match) => match[0].replace(/_bucket$/, ""));
      expect(names.filter((name) => !known.has(name))).toEqual([]);
    }
    expect((parse(blockOf("prometheus.yml")) as { scrape_configs: unknown[] }).scrape_configs).toHaveLength(1);
  });

  test.skipIf(Bun.which("promtool") === null)("are what promtool takes, and so is the page itself", async () => {
    for (const [name, command] of [
      ["keybrake-rules.yml", ["check", "rules"]],
      ["prometheus.yml", ["check", "config"]],
    ] as const) {
      writeFileSync(join(folder, name), blockOf(name));
      const { exitCode, stdout, stderr } = Bun.spawnSync(["promtool", ...command, join(folder, name)]);
      expect({ exitCode, said: exitCode === 0 ? "" : `${stdout}${stderr}` }).toEqual({ exitCode: 0, said: "" });
    }
    const checked = Bun.spawnSync(["promtool", "check", "metrics"], { stdin: Buffer.from(text) });
    expect({ exitCode: checked.exitCode, said: checked.stderr.toString() }).toEqual({ exitCode: 0, said: "" });
  });
});
