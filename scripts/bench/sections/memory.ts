import { readFileSync } from "node:fs";
import { KeybrakeInstallation } from "../installation.ts";
import { charge, load } from "../load.ts";
import { startUpstream } from "../peers.ts";
import { runProcess } from "../processes.ts";
import { atMost, type Context, type Findings, measured, type Section } from "../section.ts";

/** Resident memory while 32 connections send as fast as they can. */
export const MEMORY: Section = { name: "memory", title: "Memory under full load", run };

const RESIDENT_MB_MAX = 200;
/** A slope that is told from a collector's sawtooth over four minutes; a leak of a byte a call is a tenth of it. */
const FLAT_MB_PER_MINUTE = 1;
/** The first fifth of the time is the heap finding its size. */
const SETTLING_SHARE = 0.2;

interface Sample {
  readonly minutes: number;
  readonly megabytes: number;
  /** Of these, what is the process's own and no file's. */
  readonly anonymous: number;
}

async function run({ directory, say, sizes }: Context): Promise<Findings> {
  const upstream = await startUpstream();
  const installation = await KeybrakeInstallation.open(directory, upstream.port);
  const request = charge(await installation.issueKey("bench/memory"));
  await installation.serve();
  const samples: Sample[] = [];
  const beganMs = performance.now();
  const loading = load(directory, {
    url: installation.chargeUrl,
    connections: 32,
    seconds: sizes.memorySeconds,
    request,
  });
  let isOver = false;
  const over = loading.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  while (!isOver) {
    await Promise.race([Bun.sleep(sizes.memorySampleSeconds * 1_000), over]);
    if (isOver) break;
    const resident = await residentMegabytes(installation.pid);
    samples.push({ minutes: (performance.now() - beganMs) / 60_000, ...resident });
    if (samples.length % 6 === 0) say(`${secondsOf(samples.at(-1)!)} s: ${Math.round(resident.megabytes)} MB`);
  }
  const { requestsPerSecond } = await loading;
  const settled = samples.filter(({ minutes }) => minutes * 60 >= SETTLING_SHARE * sizes.memorySeconds);
  const most = Math.max(...samples.map(({ megabytes }) => megabytes));
  const note = `${settled.length} samples over ${Math.round(sizes.memorySeconds * (1 - SETTLING_SHARE))} s at ${Math.round(requestsPerSecond).toLocaleString("en-US")} requests/s`;
  return {
    rows: [
      measured("resident memory under full load, at most", most, "MB", atMost(RESIDENT_MB_MAX)),
      measured("its growth, by least squares", slope(settled), "MB/min", atMost(FLAT_MB_PER_MINUTE), note),
    ],
    tables: [
      {
        name: "memory",
        columns: ["after s", "MB", "of which anonymous"],
        rows: samples.map((each) => [secondsOf(each), Math.round(each.megabytes), Math.round(each.anonymous)]),
      },
    ],
  };
}

/** Megabytes per minute. */
function slope(samples: readonly Sample[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = { minutes: mean(samples.map((s) => s.minutes)), megabytes: mean(samples.map((s) => s.megabytes)) };
  let covariance = 0;
  let variance = 0;
  for (const { minutes, megabytes } of samples) {
    covariance += (minutes - middle.minutes) * (megabytes - middle.megabytes);
    variance += (minutes - middle.minutes) ** 2;
  }
  if (variance === 0) throw new Error("too few samples for a slope: the load was too short");
  return covariance / variance;
}

function secondsOf({ minutes }: Sample): string {
  return String(Math.round(minutes * 60));
}

/** Resident set as the kernel counts it: with the pages of the executable that are in use. */
async function residentMegabytes(pid: number): Promise<Pick<Sample, "megabytes" | "anonymous">> {
  if (process.platform !== "linux") {
    const megabytes = Number(await runProcess(["ps", "-o", "rss=", "-p", String(pid)])) / 1_024;
    return { megabytes, anonymous: Number.NaN };
  }
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (name: string) => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
    if (kilobytes === undefined) throw new Error(`the kernel does not say what the ${name} of process ${pid} is`);
    return Number(kilobytes) / 1_024;
  };
  return { megabytes: megabytes("VmRSS"), anonymous: megabytes("RssAnon") };
}
