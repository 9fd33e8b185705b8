import type { ProxyMode } from "../../test/harness/tcp-proxy.ts";
import { between, type Random, randomFrom } from "../random.ts";
import { type AttackedKey, violationsInTheEnd, violationsOf } from "./attacked-keys.ts";
import { HttpClient } from "./http-client.ts";
import type { SentCall } from "./ledger-violations.ts";
import { noPostgres, openReplicas, REPLICAS, type Replicas } from "./replica-rig.ts";
import { charge, type Key, takeSeen } from "./rig.ts";
import { type Section, type SectionOptions, type SectionResult, skipped } from "./section.ts";
import type { ServerProcess } from "./server-process.ts";

const CLIENTS_PER_REPLICA = 4;
/** From the first call to the fault, and from a fault that lasts to its end, at most. */
const LIFE_MS_MAX = 250;
/** A client that was refused asks again after this long. */
const PAUSE_MS = 20;
const STALL_MS = 1_500;
/** Every tenth stall lasts longer than any patience of the product's. */
const LONG_STALL_MS = 30_000;
const LONG_STALL_EVERY = 10;
/** No call waits longer for its answer, whatever has happened to the database: a second is what one waits for it, some times over. */
const ANSWER_MS_MAX = 15_000;
/** After a fault every replica takes calls again within this time, without a restart. */
const BACK_MS_MAX = 30_000;

export const REPLICA_FAULT_RUNS: Section = {
  name: "replica-faults",
  title: `1 and ${REPLICAS} replicas on one PostgreSQL under load: kills, crashes of the database, broken connections`,
  unit: "incidents",
  counts: { full: 1_400, usual: 280, quick: 42 },
  run: runReplicaFaults,
};

interface Tally {
  readonly violations: string[];
  done: number;
  vendorCalls: number;
  answered: number;
  unavailable: number;
  stalls: number;
  slowestMs: number;
  clocks: string;
}

/** Replicas under load, and one of them that a fault is to hit. */
interface Bed {
  readonly replicas: Replicas;
  readonly servers: ServerProcess[];
  readonly random: Random;
  readonly victim: number;
  readonly tally: Tally;
}

/** Each lasts until it resolves; what it has killed it starts again. */
const FAULTS: Readonly<Record<string, (bed: Bed) => Promise<void>>> = {
  "kill -9 of one replica": (bed) => killed(bed, [bed.victim]),
  "kill -9 of all replicas": (bed) => killed(bed, [...bed.servers.keys()]),
  "pg_ctl stop -m immediate": ({ replicas }) => replicas.postgres.crash(),
  "a connection cut before COMMIT": (bed) => broken(bed, { cutRequest: (bytes) => bytes.includes("COMMIT\0") }),
  "a connection cut after COMMIT": (bed) => broken(bed, { cutAnswer: (bytes) => bytes.includes("COMMIT\0") }),
  "a database that is silent": stalled,
  "a replica that reaches no database": (bed) => broken(bed, "refuse"),
};

async function runReplicaFaults({ count, seed, onProgress }: SectionOptions): Promise<SectionResult> {
  const problem = noPostgres();
  if (problem !== undefined) return skipped(problem);
  const random = randomFrom(seed);
  const tally: Tally = {
    violations: [],
    done: 0,
    vendorCalls: 0,
    answered: 0,
    unavailable: 0,
    stalls: 0,
    slowestMs: 0,
    clocks: "",
  };
  const alone = Math.floor(count / 2);
  for (const [replicas, until] of [
    [1, alone],
    [REPLICAS, count],
  ] as const) {
    if (tally.done < until) await attack(replicas, until, random, tally, onProgress);
  }
  const { done, violations, vendorCalls, answered, unavailable, slowestMs, clocks } = tally;
  const figures = {
    faults: Object.keys(FAULTS).length,
    vendor_calls: vendorCalls,
    answered,
    answered_503: unavailable,
    slowest_answer_ms: Math.round(slowestMs),
    clocks,
  };
  return { done, violations, figures };
}

async function attack(
  replicaCount: number,
  until: number,
  random: Random,
  tally: Tally,
  onProgress: (done: number) => void,
): Promise<void> {
  const replicas = await openReplicas(replicaCount);
  tally.clocks = replicas.clocks;
  try {
    const servers = await replicas.startAll();
    const attacked: AttackedKey[] = [];
    while (tally.done < until) {
      const bed = { replicas, servers, random, victim: between(random, 0, replicaCount), tally };
      const names = Object.keys(FAULTS);
      const name = names[tally.done % names.length]!;
      const where = `${name}, incident ${tally.done}, ${replicaCount} replicas`;
      const found = await incident(bed, FAULTS[name]!, where);
      attacked.push(found);
      tally.violations.push(
        ...(await violationsOf(replicas.rig, servers[between(random, 0, servers.length)]!, found)).map(
          (text) => `${where}: ${text}`,
        ),
      );
      onProgress(++tally.done);
    }
    const isSwept = until >= SWEPT_FROM_INCIDENTS;
    tally.violations.push(
      ...(isSwept ? await violationsInTheEnd(replicas.rig, servers[0]!, attacked) : await replicas.rig.doctor()),
    );
  } finally {
    await replicas.rig.stop();
  }
}

/** Loads a key over all replicas, lets the fault happen meanwhile, and waits until every replica takes calls again. */
async function incident(bed: Bed, fault: (bed: Bed) => Promise<void>, where: string): Promise<AttackedKey> {
  const { replicas, servers, random, tally } = bed;
  const capUsd = between(random, 200, 1000);
  const key = await replicas.rig.issueKey(servers[0]!, capUsd);
  const amounts = randomFrom(between(random, 0, 2 ** 31));
  let isOver = false;
  const agents = servers.flatMap((_, index) =>
    Array.from({ length: CLIENTS_PER_REPLICA }, (_, client) =>
      agent(bed, key, { index, name: `i${tally.done}-${index}-${client}`, amounts, isOver: () => isOver }),
    ),
  );
  await Bun.sleep(random() * LIFE_MS_MAX);
  await fault(bed);
  const late = await Promise.all(servers.map((server, index) => comesBack(server, key, `b${tally.done}-${index}`)));
  isOver = true;
  const sent = [...(await Promise.all(agents)).flat(), ...late.flatMap((back) => back.sent)];
  for (const [index, { isBack }] of late.entries()) {
    if (!isBack) tally.violations.push(`${where}: replica ${index} takes no calls after ${BACK_MS_MAX} ms`);
  }
  const seen = takeSeen(replicas.rig.vendor);
  tally.vendorCalls += seen.length;
  tally.answered += sent.filter(({ status }) => status === 200).length;
  tally.unavailable += sent.filter(({ status }) => status === 503).length;
  return { key, capUsd, sent, seen };
}

interface AgentOptions {
  readonly index: number;
  readonly name: string;
  readonly amounts: Random;
  readonly isOver: () => boolean;
}

/** Charges one after another at its replica, whatever becomes of that. */
async function agent(
  { servers, tally }: Bed,
  key: Key,
  { index, name, amounts, isOver }: AgentOptions,
): Promise<SentCall[]> {
  const sent: SentCall[] = [];
  let client = new HttpClient(servers[index]!.port);
  for (let turn = 0; !isOver(); turn++) {
    const beganMs = performance.now();
    const call = await charge(client, key, `${name}-${turn}`, between(amounts, 100, 1500));
    const tookMs = performance.now() - beganMs;
    tally.slowestMs = Math.max(tally.slowestMs, tookMs);
    if (tookMs > ANSWER_MS_MAX) tally.violations.push(`${call.event} was answered after ${Math.round(tookMs)} ms`);
    sent.push(call);
    if (call.status === 200) continue;
    if (call.status === undefined) {
      client.close();
      client = new HttpClient(servers[index]!.port);
    }
    await Bun.sleep(PAUSE_MS);
  }
  client.close();
  return sent;
}

/** A call that is let through or that meets the cap: either way the ledger was asked. */
async function comesBack(server: ServerProcess, key: Key, name: string) {
  const sent: SentCall[] = [];
  const beganMs = performance.now();
  while (performance.now() - beganMs < BACK_MS_MAX) {
    const client = new HttpClient(server.port);
    const call = await charge(client, key, `${name}-${sent.length}`, 100);
    client.close();
    sent.push(call);
    if (call.status === 200 || call.status === 429) return { isBack: true, sent };
    await Bun.sleep(PAUSE_MS);
  }
  return { isBack: false, sent };
}

async function killed({ replicas, servers }: Bed, victims: readonly number[]): Promise<void> {
  await Promise.all(victims.map((victim) => servers[victim]!.kill()));
  for (const victim of victims) servers[victim] = await replicas.start(victim);
}

/** For a while, at one replica. */
async function broken({ replicas, victim, random }: Bed, mode: ProxyMode): Promise<void> {
  const proxy = replicas.proxies[victim]!;
  proxy.mode = mode;
  if (mode === "refuse") proxy.cut();
  await Bun.sleep(random() * LIFE_MS_MAX);
  proxy.mode = "pass";
}

/** Every other time for one replica alone. What had come through before the silence is lost with its connection. */
async function stalled({ replicas, victim, tally }: Bed): Promise<void> {
  const number = tally.stalls++;
  const proxies = number % 2 === 0 ? [replicas.proxies[victim]!] : replicas.proxies;
  for (const proxy of proxies) proxy.mode = "stall";
  await Bun.sleep(number % LONG_STALL_EVERY === 2 ? LONG_STALL_MS : STALL_MS);
  for (const proxy of proxies) {
    proxy.cut();
    proxy.mode = "pass";
  }
}

/** Leases take 15 seconds to run out: a smaller run does not wait for that. */
const SWEPT_FROM_INCIDENTS = 14;
