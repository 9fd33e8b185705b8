import { freePort } from "../../test/harness/free-port.ts";
import { HttpClient } from "./http-client.ts";
import { ledgerViolations, type SentCall, type VendorCall } from "./ledger-violations.ts";
import { noPostgres, openReplicas, REPLICAS } from "./replica-rig.ts";
import { charge, type Key, makeRig, type Rig, takeSeen } from "./rig.ts";
import { type Section, type SectionOptions, type SectionResult, skipped } from "./section.ts";
import type { ServerProcess } from "./server-process.ts";

/** Servers on the one data directory, and clients over all of them. */
const PROCESSES = 8;
const CLIENTS = 64;
const CAP_USD = 100;
const CENTS = 500;
const ADMITTED = (CAP_USD * 100) / CENTS;
const DOCTOR_EVERY = 250;
/** The key is known, lasts, and is not revoked. */
const RIGHT: ReadonlySet<number | undefined> = new Set([200, 429, 503]);

export const CAP_RACE: Section = {
  name: "cap-race",
  title: `cap race: ${CLIENTS} clients, ${PROCESSES} servers on one data directory`,
  unit: "rounds",
  counts: { full: 1_000, usual: 400, quick: 40 },
  run: async (options) => {
    const rig = await makeRig();
    const start = async () => {
      const servers: ServerProcess[] = [];
      for (let index = 0; index < PROCESSES; index++) servers.push(await rig.start({ port: await freePort() }));
      return servers;
    };
    return runCapRace(rig, start, CLIENTS, options);
  },
};

/** Each replica with as many clients as all servers have above. */
export const REPLICA_CAP_RACE: Section = {
  name: "replica-cap-race",
  title: `cap race: ${REPLICAS} replicas on one PostgreSQL, ${CLIENTS} clients each`,
  unit: "rounds",
  counts: { full: 1_000, usual: 200, quick: 20 },
  run: async (options) => {
    const problem = noPostgres();
    if (problem !== undefined) return skipped(problem);
    const replicas = await openReplicas(REPLICAS);
    const result = await runCapRace(replicas.rig, () => replicas.startAll(), REPLICAS * CLIENTS, options);
    return { ...result, figures: { ...result.figures, clocks: replicas.clocks } };
  },
};

interface Tally {
  readonly violations: string[];
  admitted: number;
  refused: number;
  overspentCents: number;
  otherAnswers: number;
}

/** Stops the rig. */
async function runCapRace(
  rig: Rig,
  start: () => Promise<readonly ServerProcess[]>,
  clientCount: number,
  { count, onProgress }: SectionOptions,
): Promise<SectionResult> {
  const tally: Tally = { violations: [], admitted: 0, refused: 0, overspentCents: 0, otherAnswers: 0 };
  let processes = 0;
  try {
    const servers = await start();
    processes = servers.length;
    const clients = Array.from({ length: clientCount }, (_, index) => new HttpClient(servers[index % processes]!.port));
    for (let round = 0; round < count; round++) {
      await race(rig, servers[round % processes]!, clients, round, tally);
      if (round % DOCTOR_EVERY === DOCTOR_EVERY - 1) tally.violations.push(...(await rig.doctor()));
      onProgress(round + 1);
    }
    for (const client of clients) client.close();
    tally.violations.push(...(await rig.doctor()));
  } finally {
    await rig.stop();
  }
  const { violations, admitted, refused, otherAnswers, overspentCents } = tally;
  const overspend = (overspentCents / 100).toFixed(2);
  const figures = {
    processes,
    clients: clientCount,
    admitted,
    refused,
    other_answers: otherAnswers,
    overspend_usd: overspend,
  };
  return { done: count, violations, figures };
}

/** Every client asks at once for a part of a cap that has room for twenty of them. */
async function race(
  rig: Rig,
  server: ServerProcess,
  clients: readonly HttpClient[],
  round: number,
  tally: Tally,
): Promise<void> {
  const key = await rig.issueKey(server, CAP_USD);
  const sent: SentCall[] = await Promise.all(
    clients.map((client, index) => charge(client, key, `r${round}-${index}`, CENTS)),
  );
  const seen = takeSeen(rig.vendor);
  const admitted = sent.filter(({ status }) => status === 200).length;
  const refused = sent.filter(({ status }) => status === 429).length;
  tally.admitted += admitted;
  tally.refused += refused;
  // A server that waited too long for another's lock refuses with 503: safe, but the cap is then not used up.
  tally.otherAnswers += sent.length - admitted - refused;
  tally.overspentCents += Math.max(0, seen.length * CENTS - CAP_USD * 100);
  const wrong = await auditOf(rig, server, key, sent, seen);
  wrong.push(...sent.filter(({ status }) => !RIGHT.has(status)).map((one) => `${one.event} is answered ${one.status}`));
  if (admitted + refused === sent.length && admitted !== ADMITTED) {
    wrong.push(`${admitted} calls were admitted, and there was room for ${ADMITTED}`);
  }
  tally.violations.push(...wrong.map((text) => `round ${round}: ${text}`));
}

async function auditOf(
  rig: Rig,
  server: ServerProcess,
  key: Key,
  sent: readonly SentCall[],
  seen: readonly VendorCall[],
): Promise<string[]> {
  // Holds and settlements of one moment: between the two questions a server may settle some more, at the same amount.
  const [rows, usedUsd] = await Promise.all([rig.rows(server, key), rig.usedUsd(server, key)]);
  const missing = sent.length - rows.length - sent.filter(({ status }) => status === 503).length;
  const wrong = ledgerViolations({ capUsd: CAP_USD, rows, usedUsd, sent, seen });
  return missing > 0 ? [...wrong, `${missing} calls have no row`] : wrong;
}
