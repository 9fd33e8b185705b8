import { type Random, randomFrom } from "../random.ts";
import { ERRNO, type ErrnoName, type Fault, type FaultShim, makeFaultShim } from "./fault-shim.ts";
import { HttpClient } from "./http-client.ts";
import { ledgerViolations, type SentCall, type VendorCall } from "./ledger-violations.ts";
import { charge, type Key, makeRig, type Rig, takeSeen } from "./rig.ts";
import { type Section, type SectionOptions, type SectionResult, skipped } from "./section.ts";
import { type ServerProcess, saysWhy } from "./server-process.ts";
import { shimProblem } from "./shim.ts";

/** Keys are changed so that a check reads few rows. */
const FAULTS_PER_KEY = 25;
/** Of all faults, those that hit a checkpoint, which happens once in some hundred calls. */
const CHECKPOINT_EVERY = 50;
const CHECKPOINT_CALLS_MAX = 3_000;
const CAP_USD = 100_000;
const CENTS = 100;
const ANSWER_MS_MAX = 1_000;

export const FAULT_RUNS: Section = {
  name: "faults",
  title: "EIO, ENOSPC, EROFS at each write and fsync of a call",
  unit: "faults",
  counts: { full: 1_500, usual: 1_500, quick: 150 },
  run: runFaults,
};

interface Combination extends Fault {
  /** The server is killed with the fault still there, instead of being let recover. */
  readonly kill: boolean;
}

/** A server under faults, and all that is known of the calls to the key in use. */
interface Bed {
  readonly rig: Rig;
  readonly shim: FaultShim;
  server: ServerProcess;
  client: HttpClient;
  key: Key;
  sent: SentCall[];
  seen: VendorCall[];
  calls: number;
  hit: number;
  answered503: number;
  slowestMs: number;
  readonly violations: string[];
}

async function runFaults({ count, seed, onProgress }: SectionOptions): Promise<SectionResult> {
  const problem = shimProblem();
  if (problem !== undefined) return skipped(problem);
  const random = randomFrom(seed);
  const bed = await makeBed();
  try {
    const operations = await operationsOfACall(bed);
    const combinations = shuffled(combinationsOf(operations), random);
    for (let done = 0; done < count; done++) {
      const combination = combinations[done % combinations.length]!;
      if (done % CHECKPOINT_EVERY === CHECKPOINT_EVERY - 1) await failCheckpoint(bed, combination, random);
      else await failCall(bed, combination);
      if (done % FAULTS_PER_KEY === FAULTS_PER_KEY - 1) await changeKey(bed);
      onProgress(done + 1);
    }
    await changeKey(bed);
    const { hit, answered503, slowestMs, violations } = bed;
    const figures = {
      operations_of_a_call: operations,
      combinations: combinations.length,
      faults_hit: hit,
      answered_503: answered503,
      slowest_answer_ms: Math.round(slowestMs),
    };
    return { done: count, violations, figures };
  } finally {
    bed.client.close();
    await bed.rig.stop();
    bed.shim.remove();
  }
}

async function makeBed(): Promise<Bed> {
  const shim = makeFaultShim();
  const rig = await makeRig();
  const server = await rig.start({ environment: shim.environment });
  const key = await rig.issueKey(server, CAP_USD);
  const client = new HttpClient(server.port);
  const empty = { sent: [], seen: [], calls: 0, hit: 0, answered503: 0, slowestMs: 0, violations: [] };
  return { rig, shim, server, client, key, ...empty };
}

const SETTLED_MS = 40;
const MEASURED_CALLS = 5;

/** Writes, syncs and truncations from a call's first to the last of its settlement; one more where a checkpoint or lease comes between. */
async function operationsOfACall(bed: Bed): Promise<number> {
  let most = 0;
  for (let call = 0; call < MEASURED_CALLS + 1; call++) {
    bed.shim.arm({ at: 0, error: "EIO", forever: false });
    await send(bed);
    await Bun.sleep(SETTLED_MS);
    // The first call makes the statements and the WAL.
    if (call > 0) most = Math.max(most, bed.shim.seen());
  }
  bed.shim.disarm();
  if (most === 0)
    throw new Error("the fault shim sees no write of the server: LD_PRELOAD has no effect on this binary");
  return most;
}

function combinationsOf(operations: number): Combination[] {
  const found: Combination[] = [];
  for (let at = 1; at <= operations; at++) {
    for (const error of Object.keys(ERRNO) as ErrnoName[]) {
      for (const forever of [false, true]) {
        for (const torn of [false, true]) {
          for (const kill of [false, true]) found.push({ at, error, forever, torn, kill });
        }
      }
    }
  }
  return found;
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((one) => ({ one, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ one }) => one);
}

async function send(bed: Bed): Promise<SentCall> {
  bed.calls += 1;
  const began = performance.now();
  const call = await charge(bed.client, bed.key, `f-${bed.calls}`, CENTS);
  bed.slowestMs = Math.max(bed.slowestMs, performance.now() - began);
  bed.sent.push(call);
  bed.seen.push(...takeSeen(bed.rig.vendor));
  return call;
}

/** One call, with one of its operations failing, and the next one without. */
async function failCall(bed: Bed, combination: Combination): Promise<void> {
  const { shim } = bed;
  const where = describe(combination);
  shim.arm(combination);
  await judge(bed, where);
  if (combination.forever) await judge(bed, where);
  if (shim.failed() === 0) await Bun.sleep(SETTLED_MS);
  if (shim.failed() > 0) bed.hit += 1;
  await recover(bed, combination, where);
}

/** Calls until the database file itself is written to, and that fails. */
async function failCheckpoint(bed: Bed, combination: Combination, random: Random): Promise<void> {
  const fault = { ...combination, at: 1 + Math.floor(random() * 40), mainOnly: true };
  const where = `checkpoint, ${describe(fault)}`;
  bed.shim.arm(fault);
  for (let call = 0; call < CHECKPOINT_CALLS_MAX && bed.shim.failed() === 0; call++) await judge(bed, where);
  if (bed.shim.failed() > 0) bed.hit += 1;
  await recover(bed, combination, where);
}

/** Answered 200, or refused with 503; and soon. */
async function judge(bed: Bed, where: string): Promise<void> {
  const began = performance.now();
  const { status } = await send(bed);
  const tookMs = performance.now() - began;
  if (status === 503) {
    bed.answered503 += 1;
    if (!(await saysWhy(bed.server))) bed.violations.push(`${where}: nothing in the log says why`);
  } else if (status !== 200) bed.violations.push(`${where}: answered ${status}`);
  if (tookMs > ANSWER_MS_MAX) bed.violations.push(`${where}: answered after ${Math.round(tookMs)} ms`);
}

async function recover(bed: Bed, { kill }: Combination, where: string): Promise<void> {
  if (kill) {
    await bed.server.kill();
    bed.client.close();
    bed.shim.disarm();
    bed.server = await bed.rig.start({ environment: bed.shim.environment });
    bed.client = new HttpClient(bed.server.port);
  }
  bed.shim.disarm();
  const { status } = await send(bed);
  if (status !== 200) bed.violations.push(`${where}: the next call, without a fault, is answered ${status}`);
}

/** The end of a key: all that is known of it is held against the ledger. */
async function changeKey(bed: Bed): Promise<void> {
  const { rig, server, key, sent, seen } = bed;
  // Resolutions that failed are tried again until they are written.
  await Bun.sleep(SETTLED_MS);
  const [rows, usedUsd] = await Promise.all([rig.rows(server, key), rig.usedUsd(server, key)]);
  bed.violations.push(...ledgerViolations({ capUsd: CAP_USD, rows, usedUsd, sent, seen }), ...(await rig.doctor()));
  bed.key = await rig.issueKey(server, CAP_USD);
  bed.sent = [];
  bed.seen = [];
}

function describe({ at, error, forever, torn, mainOnly }: Fault): string {
  return `${error} at operation ${at}${mainOnly ? " on the database file" : ""}${forever ? " and ever after" : ""}${torn ? ", torn" : ""}`;
}
