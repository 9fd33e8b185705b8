/**
 * `bun run bench [--seconds 5] [--rounds 3]`: Keybrake with everything on beside bare reverse proxies, on one machine in
 * one run, with the same upstream, load generator and body. Prints a table and writes `scripts/bench/results.json`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type LoadResult, load } from "./load.ts";
import { KEYBRAKE, type Peer, peers } from "./peers.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "5" }, rounds: { type: "string", default: "3" } },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);

interface Row {
  readonly name: string;
  readonly many: LoadResult[];
  readonly one: LoadResult[];
}

const FIRST_PORT = 17_100;
const WARM_UP_SECONDS = 8;
const children: ReturnType<typeof Bun.spawn>[] = [];
const workDir = mkdtempSync(join(tmpdir(), "keybrake-bench-"));

try {
  if (!Bun.which("wrk")) throw new Error("wrk is not installed: run scripts/bench/install-peers");
  await main();
} finally {
  for (const child of children) child.kill();
  await Promise.all(children.map((child) => child.exited));
  rmSync(workDir, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const all = peers(workDir, FIRST_PORT, FIRST_PORT + 1);
  const installed = all.filter((peer) => peer.command !== undefined);
  for (const peer of all) if (!peer.command) say(`${peer.name}: not installed, left out (scripts/bench/install-peers)`);
  for (const peer of installed) await start(peer);
  const { peer: keybrake, key } = await startKeybrake(FIRST_PORT + 10);
  const rows: Row[] = [...installed, keybrake].map((peer) => ({ name: peer.name, many: [], one: [] }));
  for (let round = 1; round <= rounds; round++) {
    for (const [index, peer] of [...installed, keybrake].entries()) {
      say(`round ${round} of ${rounds}: ${peer.name}`);
      const url = `http://127.0.0.1:${peer.port}${peer.path}`;
      // Not counted: a JIT compiler's first seconds say nothing about the hours that follow.
      if (round === 1) await load(workDir, url, { connections: 32, seconds: WARM_UP_SECONDS, key });
      rows[index]!.many.push(await load(workDir, url, { connections: 32, seconds, key }));
      rows[index]!.one.push(await load(workDir, url, { connections: 1, seconds: Math.max(2, seconds / 2), key }));
    }
  }
  report(rows);
}

async function start(peer: Peer): Promise<void> {
  const child = Bun.spawn([...peer.command!], {
    env: { PATH: process.env["PATH"] ?? "", ...peer.environment },
    stdout: "ignore",
    stderr: "ignore",
  });
  children.push(child);
  await untilListening(peer.port, peer.name);
}

async function untilListening(port: number, name: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    try {
      (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })).end();
      return;
    } catch {
      await Bun.sleep(20);
    }
  }
  throw new Error(`${name} did not start on port ${port}`);
}

async function startKeybrake(port: number): Promise<{ peer: Peer; key: string }> {
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: workDir,
    KEYBRAKE_DATA: join(workDir, "data"),
    KEYBRAKE_LISTEN: `127.0.0.1:${port}`,
  };
  const run = async (args: readonly string[], stdin = "") => {
    const child = Bun.spawn([KEYBRAKE, ...args], {
      cwd: workDir,
      env: environment,
      stdin: Buffer.from(stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code !== 0) throw new Error(`keybrake ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  };
  await run(
    ["vendor", "set", "stripe", "--origin", `http://127.0.0.1:${FIRST_PORT}`, "--private"],
    "sk_test_bench_secret",
  );
  const policy = [
    "--vendor",
    "stripe",
    "--daily-usd-cap",
    "900000000",
    "--allowed-endpoints",
    "POST /v1/payment_intents",
  ];
  const key = await run(["key", "issue", ...policy, "--expires-in", "1d", "--label", "bench/1", "--quiet"]);
  children.push(
    Bun.spawn([KEYBRAKE, "serve"], {
      cwd: workDir,
      env: environment,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    }),
  );
  await untilListening(port, "keybrake");
  const peer = { name: "keybrake, everything on", command: [], port, path: "/stripe/v1/payment_intents" };
  return { peer, key };
}

function median(figures: readonly number[]): number {
  return [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)]!;
}

function report(rows: readonly Row[]): void {
  const figures = rows.map((row) => ({
    name: row.name,
    requests_per_second: Math.round(median(row.many.map((result) => result.requestsPerSecond))),
    p50_ms: median(row.many.map((result) => result.p50Ms)),
    p99_ms: median(row.many.map((result) => result.p99Ms)),
    one_connection_p50_ms: median(row.one.map((result) => result.p50Ms)),
    one_connection_p99_ms: median(row.one.map((result) => result.p99Ms)),
    failed: row.many.concat(row.one).reduce((sum, result) => sum + result.failed, 0),
  }));
  const of = (name: string) => figures.find((row) => row.name.startsWith(name));
  const keybrake = of("keybrake")!;
  const upstream = of("upstream")!;
  const nginx = of("nginx");
  const caddy = of("Caddy");
  const targets = {
    ratio_to_nginx: nginx ? round(keybrake.requests_per_second / nginx.requests_per_second) : null,
    ratio_to_caddy: caddy ? round(keybrake.requests_per_second / caddy.requests_per_second) : null,
    added_p50_ms_one_connection: round(keybrake.one_connection_p50_ms - upstream.one_connection_p50_ms),
    added_p99_ms_one_connection: round(keybrake.one_connection_p99_ms - upstream.one_connection_p99_ms),
  };
  say("");
  printRow(["", "requests/s (32)", "p50 ms", "p99 ms", "p50 ms (1)", "p99 ms (1)", "failed"]);
  for (const row of figures) printRow(Object.values(row));
  console.log("");
  for (const [name, value] of Object.entries(targets)) printRow([name, value ?? "not installed"]);
  const machine = { cores: cpus().length, model: cpus()[0]?.model ?? "unknown", bun: Bun.version };
  const results = { machine, seconds, rounds, figures, targets };
  writeFileSync(join(import.meta.dir, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
}

/** The first column is a name; the others are figures. */
function printRow(values: readonly (string | number)[]): void {
  const text = values.map((value) => (typeof value === "number" ? round(value).toLocaleString("en-US") : value));
  console.log(text.map((value, column) => (column === 0 ? value.padEnd(28) : value.padStart(16))).join(""));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function say(text: string): void {
  console.error(text);
}
