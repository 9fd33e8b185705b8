import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { between, type Random } from "../random.ts";
import { putBack } from "./database-files.ts";
import { HttpClient } from "./http-client.ts";
import { charge, type Key, load, type Rig, takeSeen } from "./rig.ts";
import type { ServerProcess } from "./server-process.ts";

export interface CorruptionTally {
  readonly violations: string[];
  refusedStart: number;
  answered503: number;
  /** Calls that the damage was not in the way of. */
  served: number;
}

const CAP_USD = 100_000;
const CENTS = 100;
let calls = 0;

const PAGE_BYTES = 4096;
const CALLS_BEFORE = 40;
const CALLS_AFTER = 5;
const EXIT_MS_MAX = 3_000;

/** What is damaged, and whether the server has opened the file by then. */
const DAMAGES = [
  { part: "header", live: false },
  { part: "pages", live: false },
  { part: "page", live: false },
  { part: "page", live: false },
  { part: "pages", live: true },
  { part: "page", live: true },
] as const;
type Damage = (typeof DAMAGES)[number];

/**
 * Damages the file: its header, every page but the first, or one page. The server refuses to start with one line, or
 * refuses calls with 503; where the damage is not in its way it goes on, and no refused call reaches the vendor.
 */
export async function corrupt(rig: Rig, random: Random, tally: CorruptionTally): Promise<void> {
  const path = join(rig.bench.dataDir, "keybrake.db");
  const first = await rig.start();
  const key = await rig.issueKey(first, CAP_USD);
  let left = CALLS_BEFORE;
  await load(first.port, key, { clients: 4, prefix: "c", cents: () => CENTS, isOver: () => left-- <= 0 });
  await first.kill();
  // Opening and closing the database puts the WAL into the file.
  await rig.doctor();
  takeSeen(rig.vendor);
  const sound = readFileSync(path);
  for (const damage of DAMAGES) {
    putBack(path, sound);
    await corruptOnce(rig, { path, key, damage, random, tally });
  }
}

interface Patient {
  readonly path: string;
  readonly key: Key;
  readonly damage: Damage;
  readonly random: Random;
  readonly tally: CorruptionTally;
}

async function corruptOnce(rig: Rig, { path, key, damage, random, tally }: Patient): Promise<void> {
  const opened = damage.live ? await rig.start() : undefined;
  const which = `corrupt ${spoil(path, damage.part, random)}${damage.live ? " under a running server" : ""}`;
  const server = opened ?? rig.spawn();
  const code = await Promise.race([server.exited, untilAnswering(server).then(() => undefined)]);
  if (code !== undefined) {
    const errors = server
      .output()
      .split("\n")
      .filter((line) => line.startsWith("keybrake: error:"));
    if (code === 0 || errors.length !== 1) {
      tally.violations.push(`${which}: it ended with ${code} and said ${JSON.stringify(server.output())}`);
    }
    tally.refusedStart += 1;
    return;
  }
  await callDamaged(rig, server, key, which, tally);
  await server.kill();
}

async function callDamaged(
  rig: Rig,
  server: ServerProcess,
  key: Key,
  which: string,
  tally: CorruptionTally,
): Promise<void> {
  const client = new HttpClient(server.port);
  for (let call = 0; call < CALLS_AFTER; call++) {
    const { status } = await charge(client, key, `damaged-${calls++}`, CENTS);
    const seen = takeSeen(rig.vendor);
    if (status === 503) tally.answered503 += 1;
    else if (status === 200) tally.served += 1;
    // The page that tells whose the key is may be the one: then nobody is let in.
    else if (status !== 401) tally.violations.push(`${which}: answered ${status}`);
    if (status !== 200 && seen.length > 0) tally.violations.push(`${which}: answered ${status}, and the vendor saw it`);
  }
  client.close();
}

async function untilAnswering(server: ServerProcess): Promise<void> {
  const until = performance.now() + EXIT_MS_MAX;
  while (performance.now() < until) {
    const client = new HttpClient(server.port);
    const answer = await client.send("GET", "/healthz", {});
    client.close();
    if (answer) return;
    await Bun.sleep(10);
  }
}

/** Random bytes in place of a part of the file, written into it as it lies; says which part. */
function spoil(path: string, part: Damage["part"], random: Random): string {
  const bytes = readFileSync(path);
  const pages = bytes.length / PAGE_BYTES;
  const page = between(random, 1, pages);
  const [from, to] = {
    header: [0, 100],
    pages: [PAGE_BYTES, bytes.length],
    page: [page * PAGE_BYTES, (page + 1) * PAGE_BYTES],
  }[part] as [number, number];
  for (let index = from; index < to; index++) bytes[index] = between(random, 0, 256);
  const file = openSync(path, "r+");
  writeSync(file, bytes, from, to - from, from);
  closeSync(file);
  return part === "page" ? `page ${page + 1} of ${pages}` : part;
}
