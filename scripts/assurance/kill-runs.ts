import { freePort } from "../../test/harness/free-port.ts";
import { succeededIntent } from "../../test/harness/stripe-answers.ts";
import { between, type Random, randomFrom } from "../random.ts";
import { type AttackedKey, violationsInTheEnd, violationsOf } from "./attacked-keys.ts";
import { HttpClient } from "./http-client.ts";
import { charge, type Key, load, makeRig, type Rig, takeSeen } from "./rig.ts";
import type { Section, SectionOptions, SectionResult } from "./section.ts";
import { type ServerProcess, untilListening } from "./server-process.ts";

/** Kills on one data directory: its ledger grows with each, and an operator's own would, too. */
const KILLS_PER_DIRECTORY = 250;
/** Directories at once: a start is the work of one core. */
const LANES = 2;
const CLIENTS = 12;
/** From the first call to the kill, at most: most meet the first commits of a server, every fifth a busy one. */
const LIFE_MS_MAX = 45;
const LONG_LIFE_MS_MAX = 250;
const LONG_LIFE_SHARE = 0.2;
const REVOKE_EVERY = 20;
const DOCTOR_EVERY = 50;
/** A start that is itself killed, before the one that counts. */
const KILLED_START_EVERY = 10;
const START_MS = 90;

export const KILL_RUNS: Section = {
  name: "kill",
  title: "kill -9 at random points under load",
  unit: "kills",
  counts: { full: 10_000, usual: 4_000, quick: 300 },
  run: runKills,
};

interface Tally {
  kills: number;
  vendorCalls: number;
  answered: number;
  revoked: number;
  readonly violations: string[];
}

/** Each directory has its own numbers, so that one of them can be repeated alone, whatever ran beside it. */
async function runKills({ count, seed, onProgress }: SectionOptions): Promise<SectionResult> {
  const tally: Tally = { kills: 0, vendorCalls: 0, answered: 0, revoked: 0, violations: [] };
  const starts = Array.from(
    { length: Math.ceil(count / KILLS_PER_DIRECTORY) },
    (_, index) => index * KILLS_PER_DIRECTORY,
  );
  const retired: Promise<void>[] = [];
  const beganMs = performance.now();
  const lane = async () => {
    for (let first = starts.shift(); first !== undefined; first = starts.shift()) {
      const kills = Math.min(KILLS_PER_DIRECTORY, count - first);
      const rig = await makeRig();
      const killing = killDirectory(rig, randomFrom(seed + first), tally, { first, kills, onProgress });
      // No server outlives a section that breaks off.
      const keys = await killing.catch(async (cause) => {
        await rig.stop();
        throw cause;
      });
      // Beside the next directory: the last holds are swept when the lease of the killed server has run out, in 15 s.
      if (kills === KILLS_PER_DIRECTORY) retired.push(retire(rig, keys, tally));
      else await rig.stop();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const perMinute = Math.round((tally.kills / (performance.now() - beganMs)) * 60_000);
  await Promise.all(retired);
  const { kills, vendorCalls, answered, revoked, violations } = tally;
  const figures = { kills_per_minute: perMinute, vendor_calls: vendorCalls, answered, revoked_before_kill: revoked };
  return { done: kills, violations, figures };
}

async function killDirectory(
  rig: Rig,
  random: Random,
  tally: Tally,
  { first, kills, onProgress }: { first: number; kills: number; onProgress: (done: number) => void },
): Promise<AttackedKey[]> {
  const slow = randomFrom(between(random, 0, 2 ** 31));
  rig.vendor.answer = async (request) => {
    if (slow() < 0.3) await Bun.sleep(slow() * 15);
    return succeededIntent(request);
  };
  const keys: AttackedKey[] = [];
  let server = await rig.start();
  for (let kill = first; kill < first + kills; kill++) {
    const where = `kill ${kill}`;
    const tried = await killOnce(rig, random, server, kill);
    if (kill % KILLED_START_EVERY === 3) await killStart(rig, random);
    server = await rig.start();
    // The vendor still gets what the kernel had taken of the dead server's bytes.
    const seen = [...tried.seen, ...takeSeen(rig.vendor)];
    keys.push({ ...tried, seen });
    tally.vendorCalls += seen.length;
    tally.answered += tried.sent.filter(({ status }) => status === 200).length;
    tally.violations.push(...(await violationsOf(rig, server, { ...tried, seen })).map((text) => `${where}: ${text}`));
    if (tried.revoked) {
      tally.revoked += 1;
      const status = await answerTo(server, tried.key, `after-${kill}`);
      if (status !== 401) tally.violations.push(`${where}: a key that was revoked before it is answered ${status}`);
    }
    if (kill % DOCTOR_EVERY === 0) tally.violations.push(...(await rig.doctor()).map((text) => `${where}: ${text}`));
    tally.kills += 1;
    onProgress(tally.kills);
  }
  await server.kill();
  return keys;
}

interface Killed extends AttackedKey {
  readonly revoked: boolean;
}

async function killOnce(rig: Rig, random: Random, server: ServerProcess, kill: number): Promise<Killed> {
  const capUsd = between(random, 50, 1000);
  const key = await rig.issueKey(server, capUsd);
  let over = false;
  const amounts = randomFrom(between(random, 0, 2 ** 31));
  const loading = load(server.port, key, {
    clients: CLIENTS,
    prefix: `k${kill}`,
    cents: () => between(amounts, 100, 1500),
    isOver: () => over,
  });
  await Bun.sleep(random() * (random() < LONG_LIFE_SHARE ? LONG_LIFE_MS_MAX : LIFE_MS_MAX));
  const revoked = kill % REVOKE_EVERY === 7;
  if (revoked) await rig.revoke(server, key);
  await server.kill();
  over = true;
  const sent = await loading;
  return { key, capUsd, sent, seen: takeSeen(rig.vendor), revoked };
}

async function killStart(rig: Rig, random: Random): Promise<void> {
  const server = rig.spawn();
  await Bun.sleep(random() * START_MS);
  await server.kill();
}

async function answerTo(server: ServerProcess, key: Key, event: string): Promise<number | undefined> {
  const client = new HttpClient(server.port);
  const { status } = await charge(client, key, event, 100);
  client.close();
  return status;
}

/** In the end no call is held any more, and what was unknown still counts in full. */
async function retire(rig: Rig, keys: readonly AttackedKey[], tally: Tally): Promise<void> {
  try {
    const server = await untilListening(rig.spawn({ port: await freePort() }));
    tally.violations.push(...(await violationsInTheEnd(rig, server, keys)));
  } finally {
    await rig.stop();
  }
}
