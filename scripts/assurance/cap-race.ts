import { freePort } from "../../test/harness/free-port.ts";
import { HttpClient } from "./http-client.ts";
import { ledgerViolations, type SentCall, type VendorCall } from "./ledger-violations.ts";
import { charge, type Key, makeRig, type Rig, takeSeen } from "./rig.ts";
import type { Section, SectionOptions, SectionResult } from "./section.ts";
import type { ServerProcess } from "./server-process.ts";

/** Servers on the one data directory, and clients over all of them. */
const PROCESSES = 8;
const CLIENTS = 64;
const CAP_USD = 100;
const CENTS = 500;
/** Of one key; then the next one, so that a check reads few rows. */
const CALLS_OF_A_ROUND = CLIENTS;
const ADMITTED = (CAP_USD * 100) / CENTS;
const DOCTOR_EVERY = 250;

export const CAP_RACE: Section = {
  name: "cap-race",
  title: `cap race: ${CLIENTS} clients, ${PROCESSES} servers on one data directory`,
  unit: "rounds",
  counts: { full: 1_000, usual: 400, quick: 40 },
  run: runCapRace,
};

interface Tally {
  readonly violations: string[];
  admitted: number;
  refused: number;
  overspentCents: number;
  otherAnswers: number;
}

async function runCapRace({ count, onProgress }: SectionOptions): Promise<SectionResult> {
  const rig = await makeRig();
  const tally: Tally = { violations: [], admitted: 0, refused: 0, overspentCents: 0, otherAnswers: 0 };
  try {
    const servers: ServerProcess[] = [];
    for (let index = 0; index < PROCESSES; index++) servers.push(await rig.start({ port: await freePort() }));
    const clients = Array.from({ length: CLIENTS }, (_, index) => new HttpClient(servers[index % PROCESSES]!.port));
    for (let round = 0; round < count; round++) {
      await race(rig, servers[round % PROCESSES]!, clients, round, tally);
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
    processes: PROCESSES,
    clients: CLIENTS,
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
  tally.otherAnswers += CALLS_OF_A_ROUND - admitted - refused;
  tally.overspentCents += Math.max(0, seen.length * CENTS - CAP_USD * 100);
  const wrong = await auditOf(rig, server, key, sent, seen);
  if (admitted + refused === CALLS_OF_A_ROUND && admitted !== ADMITTED) {
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
  const missing = CALLS_OF_A_ROUND - rows.length - sent.filter(({ status }) => status === 503).length;
  const wrong = ledgerViolations({ capUsd: CAP_USD, rows, usedUsd, sent, seen });
  return missing > 0 ? [...wrong, `${missing} calls have no row`] : wrong;
}
