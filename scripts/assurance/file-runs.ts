import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { succeededIntent } from "../../test/harness/stripe-answers.ts";
import { between, type Random, randomFrom } from "../random.ts";
import { type CorruptionTally, corrupt } from "./corruption.ts";
import { DATABASE_PARTS, eachPart, putBack } from "./database-files.ts";
import { HttpClient } from "./http-client.ts";
import { ledgerViolations, type SentCall } from "./ledger-violations.ts";
import { charge, type Key, load, makeRig, type Rig, takeSeen } from "./rig.ts";
import type { Section, SectionOptions, SectionResult } from "./section.ts";
import { type ServerProcess, saysWhy } from "./server-process.ts";

const CLIENTS = 8;
const CAP_USD = 100_000;
const CENTS = 100;
const REFUSED_MS_MAX = 1_000;
const BACK_MS_MAX = 1_000;
/** How long a server is watched that must not go on. */
const GOES_ON_MS = 150;

export const FILE_RUNS: Section = {
  name: "files",
  title: "database deleted, moved, replaced, corrupted under load",
  unit: "incidents",
  counts: { full: 160, usual: 160, quick: 16 },
  run: runFiles,
};

/** What happens to the files of a running server, and what must come of it. */
interface Incident {
  readonly name: string;
  readonly strike: (path: string, rig: Rig, older: Uint8Array) => void | Promise<void>;
  /** Nobody calls while it happens. */
  readonly isQuiet?: true;
  /** Takes the cause away; the server must then work again by itself. Undefined where only a restart may help. */
  readonly mend?: (path: string) => void;
}

const moved = (path: string) => `${path}.moved`;

const INCIDENTS: readonly Incident[] = [
  { name: "database, WAL and shared memory deleted", strike: (path) => eachPart(path, (part) => rmSync(part)) },
  { name: "database deleted", strike: (path) => rmSync(path) },
  { name: "WAL deleted", strike: (path) => rmSync(`${path}-wal`) },
  { name: "shared memory deleted", strike: (path) => rmSync(`${path}-shm`) },
  {
    name: "replaced by a copy",
    strike: (path) => {
      copyFileSync(path, `${path}.copy`);
      renameSync(`${path}.copy`, path);
    },
  },
  {
    name: "overwritten by an older copy",
    isQuiet: true,
    strike: async (path, rig, older) => {
      // The next process that closes the database puts the WAL into the file.
      await rig.doctor();
      writeFileSync(path, older);
    },
  },
  {
    name: "moved away and back",
    strike: (path) => eachPart(path, (part) => renameSync(part, moved(part))),
    mend: (path) => {
      for (const suffix of DATABASE_PARTS) renameSync(moved(`${path}${suffix}`), `${path}${suffix}`);
    },
  },
];

interface Tally {
  readonly violations: string[];
  lastVendorCallMs: number;
  firstRefusalMs: number;
  backMs: number;
  readonly corruption: CorruptionTally;
}

async function runFiles({ count, seed, onProgress }: SectionOptions): Promise<SectionResult> {
  const random = randomFrom(seed);
  const figures = { lastVendorCallMs: 0, firstRefusalMs: 0, backMs: 0 };
  const violations: string[] = [];
  const corruption = { violations, refusedStart: 0, answered503: 0, served: 0 };
  const tally: Tally = { violations, ...figures, corruption };
  const rig = await makeRig();
  try {
    const path = join(rig.bench.dataDir, "keybrake.db");
    const sound = readFileSync(path);
    for (let done = 0; done < count; done++) {
      const incident = INCIDENTS[done % (INCIDENTS.length + 1)];
      putBack(path, sound);
      if (incident) await strike(rig, incident, { older: sound, random, tally });
      else await corrupt(rig, random, corruption);
      onProgress(done + 1);
    }
  } finally {
    await rig.stop();
  }
  const { lastVendorCallMs, firstRefusalMs, backMs } = tally;
  return {
    done: count,
    violations,
    figures: {
      last_vendor_call_after_ms: Math.round(lastVendorCallMs),
      first_503_after_ms: Math.round(firstRefusalMs),
      works_again_after_ms: Math.round(backMs),
      corrupt_start_refused: corruption.refusedStart,
      corrupt_answered_503: corruption.answered503,
      corrupt_page_not_met: corruption.served,
    },
  };
}

/** Hits the files of a server under load, and looks when its last call left and its first refusal came. */
async function strike(
  rig: Rig,
  incident: Incident,
  { older, random, tally }: { older: Uint8Array; random: Random; tally: Tally },
): Promise<void> {
  const path = join(rig.bench.dataDir, "keybrake.db");
  const server = await rig.start();
  const key = await rig.issueKey(server, CAP_USD);
  const tell = (text: string) => tally.violations.push(`${incident.name}: ${text}`);
  let lastVendorCall = 0;
  rig.vendor.answer = (request) => {
    lastVendorCall = performance.now();
    return succeededIntent(request);
  };
  let over = false;
  const loading = load(server.port, key, {
    clients: CLIENTS,
    prefix: "before",
    cents: () => CENTS,
    isOver: () => over,
  });
  await Bun.sleep(between(random, 20, 120));
  if (incident.isQuiet) over = true;
  if (incident.isQuiet) await loading;
  await incident.strike(path, rig, older);
  const struck = performance.now();
  const probes = await probeUntil(server, key, 503, REFUSED_MS_MAX);
  if (!probes.found) tell(`no call is answered 503 within ${REFUSED_MS_MAX} ms`);
  await Bun.sleep(REFUSED_MS_MAX / 4);
  over = true;
  const sent = [...(await loading), ...probes.sent];
  const lateMs = lastVendorCall - struck;
  if (lateMs > REFUSED_MS_MAX) tell(`the vendor was called ${Math.round(lateMs)} ms after it`);
  tally.lastVendorCallMs = Math.max(tally.lastVendorCallMs, lateMs);
  tally.firstRefusalMs = Math.max(tally.firstRefusalMs, probes.tookMs);
  if (!(await saysWhy(server))) tell("nothing in the log says why");
  const lines = server.output().split('"event":"store_unavailable"').length - 1;
  if (lines > 1) tell(`the log says ${lines} times that the file is not the one that was opened`);
  if (incident.mend) await mend(rig, incident, { path, server, key, sent, tally });
  else if ((await probeUntil(server, key, 200, GOES_ON_MS)).found) tell("it goes on without a restart");
  await rig.killAll();
  takeSeen(rig.vendor);
}

interface Probes {
  readonly found: boolean;
  readonly tookMs: number;
  readonly sent: readonly SentCall[];
}

let probes = 0;

/** Calls until one is answered so. */
async function probeUntil(server: ServerProcess, key: Key, status: number, withinMs: number): Promise<Probes> {
  const client = new HttpClient(server.port);
  const sent: SentCall[] = [];
  const began = performance.now();
  let found = false;
  while (!found && performance.now() - began < withinMs) {
    const call = await charge(client, key, `probe-${probes++}`, CENTS);
    sent.push(call);
    found = call.status === status;
  }
  client.close();
  return { found, tookMs: performance.now() - began, sent };
}

async function mend(
  rig: Rig,
  incident: Incident,
  struck: { path: string; server: ServerProcess; key: Key; sent: readonly SentCall[]; tally: Tally },
): Promise<void> {
  const { path, server, key, tally } = struck;
  incident.mend?.(path);
  const back = await probeUntil(server, key, 200, BACK_MS_MAX);
  tally.backMs = Math.max(tally.backMs, back.tookMs);
  if (!back.found) tally.violations.push(`${incident.name}: it does not work again within ${BACK_MS_MAX} ms`);
  await server.kill();
  const again = await rig.start();
  const [rows, usedUsd] = await Promise.all([rig.rows(again, key), rig.usedUsd(again, key)]);
  const sent = [...struck.sent, ...back.sent];
  const wrong = ledgerViolations({ capUsd: CAP_USD, rows, usedUsd, sent, seen: takeSeen(rig.vendor) });
  tally.violations.push(...[...wrong, ...(await rig.doctor())].map((text) => `${incident.name}: ${text}`));
}
