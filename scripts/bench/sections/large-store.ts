import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/core/clock.ts";
import { openStore } from "../../../src/store/open.ts";
import { Connection, postText } from "../connection.ts";
import { CHARGE_PATH, KEYBRAKE, KeybrakeInstallation } from "../installation.ts";
import { preparedStore } from "../large-store/prepared.ts";
import { charge, type LoadRequest, type LoadResult, load } from "../load.ts";
import { startUpstream } from "../peers.ts";
import { runProcess, settleDisk } from "../processes.ts";
import { atMost, type Context, type Findings, measured, median, type Row, type Section } from "../section.ts";

/** A store that has seen a year's calls against an empty one, and what is asked of it. */
export const LARGE_STORE: Section = { name: "large-store", title: "A large store", run };

async function run(context: Context): Promise<Findings> {
  const upstream = await startUpstream();
  const emptyRoot = join(context.directory, "empty");
  mkdirSync(emptyRoot);
  const large = await KeybrakeInstallation.open(await preparedStore(context), upstream.port);
  const empty = await KeybrakeInstallation.open(emptyRoot, upstream.port);
  await settleDisk();
  const parts = [
    () => compare(context, empty, large),
    () => audits(context, large),
    () => spend(context, large),
    () => starts(context, large),
  ];
  const found: Findings[] = [];
  for (const part of parts) {
    // The store took minutes to make: one part that fails keeps no other from being measured.
    found.push(await part().catch((cause: Error) => ({ rows: [], failures: [cause.message] })));
    await Promise.all([empty.stop(), large.stop()]);
  }
  return {
    rows: found.flatMap(({ rows }) => rows),
    tables: found.flatMap(({ tables = [] }) => tables),
    failures: found.flatMap(({ failures = [] }) => failures),
  };
}

function sizeText({ rows, storeKeys }: Context["sizes"]): string {
  return `${rows.toLocaleString("en-US")} rows and ${storeKeys.toLocaleString("en-US")} keys`;
}

async function compare(
  { directory, say, sizes }: Context,
  empty: KeybrakeInstallation,
  large: KeybrakeInstallation,
): Promise<Findings> {
  const sides: { name: string; url: string; request: LoadRequest; results: LoadResult[] }[] = [];
  for (const [name, installation] of [["empty at first", empty] as const, [sizeText(sizes), large] as const]) {
    const request = charge(await installation.issueKey("bench/large-store"));
    await installation.serve();
    sides.push({ name, url: installation.chargeUrl, request, results: [] });
  }
  for (let round = 1; round <= sizes.rounds; round++) {
    for (const { name, url, request, results } of sides) {
      say(`round ${round} of ${sizes.rounds}: ${name}`);
      if (round === 1) await load(directory, { url, connections: 32, seconds: sizes.warmUpSeconds, request });
      results.push(await load(directory, { url, connections: 32, seconds: sizes.seconds, request }));
    }
  }
  const rateOf = ({ results }: { results: LoadResult[] }) => median(results.map((each) => each.requestsPerSecond));
  const slower = (1 - rateOf(sides[1]!) / rateOf(sides[0]!)) * 100;
  const rows = sides.map((side) => [
    side.name,
    Math.round(rateOf(side)),
    median(side.results.map(({ p99Ms }) => p99Ms)),
  ]);
  return {
    rows: [measured(`${sizeText(sizes)} in the store, slower than an empty one`, slower, "%", atMost(15))],
    tables: [{ name: "large_store", columns: ["", "requests/s", "p99 ms"], rows }],
  };
}

/** What the command line asks of the store for `keybrake audit --run`, in this process, and then the whole command. */
async function audits({ say, sizes }: Context, large: KeybrakeInstallation): Promise<Findings> {
  const rows: Row[] = [];
  const bareMs = await medianOf(sizes.repeats, () => runProcess([KEYBRAKE, "--version"]));
  const { store } = await openStore("sqlite:", large.dataDir, systemClock);
  try {
    for (const calls of sizes.runRows) {
      const label = `bench/run-of-${calls}`;
      say(`audit --run ${label}`);
      const { calls: found } = await store.auditTotals({ run: label });
      if (found !== calls) throw new Error(`${label} has ${found} calls in the store, not ${calls}`);
      const queryMs = await medianOf(sizes.repeats, async () => {
        await store.queryAudit({ run: label }, { limit: 100 });
        await store.auditTotals({ run: label });
      });
      const commandMs = await medianOf(sizes.repeats, () => large.command(["audit", "--run", label]));
      const what = `audit of a run of ${calls.toLocaleString("en-US")} calls`;
      rows.push(measured(`${what}: page and totals from the store`, queryMs, "ms", atMost(50)));
      const note = `of which ${Math.round(bareMs)} ms are what keybrake --version takes, too`;
      rows.push(measured(`${what}: the whole command`, commandMs, "ms", null, note));
    }
  } finally {
    await store.close();
  }
  return { rows };
}

const SPEND = ["spend", "--by", "run", "--since", "30d"] as const;

async function spend({ say, sizes }: Context, large: KeybrakeInstallation): Promise<Findings> {
  const measure = SPEND.join(" ");
  say(measure);
  const spendMs = await medianOf(Math.min(3, sizes.repeats), () => large.command(SPEND));
  return { rows: [measured(measure, spendMs / 1_000, "s", atMost(2))] };
}

/** From the start of the process to the first proxied call's answer. */
async function starts({ say, sizes }: Context, large: KeybrakeInstallation): Promise<Findings> {
  const { headers, body } = charge(await large.issueKey("bench/start"));
  const request = postText(CHARGE_PATH, headers, body);
  say("starts");
  const timesMs: number[] = [];
  for (let turn = 0; turn < sizes.repeats; turn++) {
    const beganMs = performance.now();
    const server = large.spawnServer();
    for (;;) {
      if (server.exitCode !== null) throw new Error(`keybrake serve ended with ${server.exitCode}`);
      const status = await firstAnswer(large.port, request);
      if (status === 200) break;
      if (status !== undefined) throw new Error(`the first call was answered with ${status}`);
      await Bun.sleep(1);
    }
    timesMs.push(performance.now() - beganMs);
    await large.stop();
  }
  const keys = `${sizes.storeKeys.toLocaleString("en-US")} keys`;
  return { rows: [measured(`start to the first proxied call with ${keys}`, median(timesMs), "ms", atMost(300))] };
}

/** Undefined where nobody listens yet. */
async function firstAnswer(port: number, request: string): Promise<number | undefined> {
  try {
    const connection = await Connection.open(port);
    const status = await connection.ask(request);
    connection.close();
    return status;
  } catch {
    return undefined;
  }
}

async function medianOf(times: number, work: () => Promise<unknown>): Promise<number> {
  const tookMs: number[] = [];
  for (let turn = 0; turn < times; turn++) {
    const beganMs = performance.now();
    await work();
    tookMs.push(performance.now() - beganMs);
  }
  return median(tookMs);
}
