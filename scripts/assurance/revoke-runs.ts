import { freePort } from "../../test/harness/free-port.ts";
import { succeededIntent } from "../../test/harness/stripe-answers.ts";
import { between, type Random, randomFrom } from "../random.ts";
import { HttpClient } from "./http-client.ts";
import { noPostgres, openReplicas, REPLICAS } from "./replica-rig.ts";
import { charge, type Key, load, makeRig, type Rig, seenOf } from "./rig.ts";
import { type Section, type SectionOptions, type SectionResult, skipped } from "./section.ts";
import type { ServerProcess } from "./server-process.ts";

/** Keys that are under load at the same time, each until its revoke. */
const LANES = 4;
const CLIENTS_PER_KEY = 4;
const LIFE_MS_MAX = 12;
const CAP_USD = 100_000;
const CENTS = 100;
/** Of all revokes, those by the command line in another process; the others by the API of either server. */
const BY_CLI_EVERY = 100;
const CALLS_AFTER = 3;

export const REVOKE_RUNS: Section = {
  name: "revokes",
  title: "revokes under load: calls sent after a revoke had returned",
  unit: "revokes",
  counts: { full: 10_000, usual: 3_000, quick: 400 },
  run: async (options) => {
    const rig = await makeRig();
    const start = async () => [await rig.start(), await rig.start({ port: await freePort() })];
    return runRevokes(rig, start, options);
  },
};

/** Replicas tell each other nothing: there is no notification that could be cut off, nor a connection between them. */
export const REPLICA_REVOKE_RUNS: Section = {
  name: "replica-revokes",
  title: `the same over ${REPLICAS} replicas on one PostgreSQL`,
  unit: "revokes",
  counts: { full: 10_000, usual: 1_500, quick: 200 },
  run: async (options) => {
    const problem = noPostgres();
    if (problem !== undefined) return skipped(problem);
    const replicas = await openReplicas(REPLICAS);
    const result = await runRevokes(replicas.rig, () => replicas.startAll(), options);
    return { ...result, figures: { ...result.figures, clocks: replicas.clocks } };
  },
};

interface Tally {
  done: number;
  byCli: number;
  vendorCalls: number;
  sentAfter: number;
  unavailable: number;
  late: number;
  readonly violations: string[];
}

interface Bed {
  readonly rig: Rig;
  readonly servers: readonly ServerProcess[];
  /** Events that the vendor saw since they were last looked at. */
  readonly seen: Set<string>;
  readonly tally: Tally;
}

/** Stops the rig. */
async function runRevokes(
  rig: Rig,
  start: () => Promise<readonly ServerProcess[]>,
  { count, seed, onProgress }: SectionOptions,
): Promise<SectionResult> {
  const tally: Tally = { done: 0, byCli: 0, vendorCalls: 0, sentAfter: 0, unavailable: 0, late: 0, violations: [] };
  const seen = new Set<string>();
  rig.vendor.answer = (request) => {
    rig.vendor.requests.length = 0;
    tally.vendorCalls += 1;
    seen.add(seenOf(request).event);
    return succeededIntent(request);
  };
  try {
    const servers = await start();
    const bed: Bed = { rig, servers, seen, tally };
    let next = 0;
    const lane = async (index: number) => {
      const random = randomFrom(seed + index);
      while (next < count) {
        await revokeOne(bed, random, next++);
        onProgress(++tally.done);
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)));
    tally.violations.push(...(await rig.doctor()));
  } finally {
    await rig.stop();
  }
  const { done, byCli, vendorCalls, sentAfter, unavailable, late, violations } = tally;
  return {
    done,
    violations,
    figures: {
      by_command_line: byCli,
      vendor_calls: vendorCalls,
      calls_sent_after: sentAfter,
      answered_503: unavailable,
      late_calls: late,
    },
  };
}

/**
 * Loads a key over all servers, revokes it by one of them or by the command line, and sends more calls to all the
 * moment that the revoke has returned. None of those may reach the vendor.
 */
async function revokeOne(bed: Bed, random: Random, number: number): Promise<void> {
  const { rig, servers, seen, tally } = bed;
  const key = await rig.issueKey(servers[between(random, 0, servers.length)]!, CAP_USD);
  const before = { clients: CLIENTS_PER_KEY, cents: () => CENTS, isOver: () => revoked };
  let revoked = false;
  const loads = servers.map((server, index) => load(server.port, key, { ...before, prefix: `b${number}-${index}` }));
  await Bun.sleep(random() * LIFE_MS_MAX);
  if (number % BY_CLI_EVERY === BY_CLI_EVERY - 1) {
    tally.byCli += 1;
    const result = await rig.bench.cli(["key", "revoke", key.id]);
    if (result.code !== 0) throw new Error(`keybrake key revoke: ${result.stderr}`);
  } else {
    await rig.revoke(servers[between(random, 0, servers.length)]!, key);
  }
  const after = await Promise.all(servers.map((server, index) => callAfter(server, key, `a${number}-${index}`)));
  revoked = true;
  await Promise.all(loads);
  for (const [event, status] of after.flat()) {
    tally.sentAfter += 1;
    // A store that did not answer in time refuses, too.
    if (status === 503) tally.unavailable += 1;
    else if (status !== 401)
      tally.violations.push(`${event} was sent after the revoke had returned, and is answered ${status}`);
    if (!seen.has(event)) continue;
    tally.late += 1;
    tally.violations.push(`${event} was sent after the revoke had returned, and the vendor saw it`);
  }
  for (const event of seen) if (event.startsWith(`b${number}-`)) seen.delete(event);
}

async function callAfter(
  server: ServerProcess,
  key: Key,
  prefix: string,
): Promise<(readonly [string, number | undefined])[]> {
  const client = new HttpClient(server.port);
  const answers: (readonly [string, number | undefined])[] = [];
  for (let call = 0; call < CALLS_AFTER; call++) {
    const { event, status } = await charge(client, key, `${prefix}-${call}`, CENTS);
    answers.push([event, status]);
  }
  client.close();
  return answers;
}
