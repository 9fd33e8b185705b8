import { freePort } from "../../../test/harness/free-port.ts";
import { Connection, postText, requestText } from "../connection.ts";
import { CHARGE_PATH, type IssuedKey, KeybrakeInstallation } from "../installation.ts";
import { charge, load } from "../load.ts";
import { atMost, type Context, type Findings, measured, percentile, type Row, type Section } from "../section.ts";
import { listenAsVendor } from "../upstream.ts";

/** Keys that are in use are revoked under load; what is sent after a revoke has returned must not reach the vendor. */
export const REVOKES: Section = { name: "revokes", title: "Revokes under load", run };

/** Keys that are being revoked at a time, each with so many agents that go on calling. */
const AT_A_TIME = 4;
const AGENTS_PER_KEY = 2;
/** Calls of each agent: before the revoke begins, and after it has returned. */
const CALLS_BEFORE = 2;
const CALLS_AFTER = 3;
/** Other agents' calls meanwhile. */
const LOAD_CONNECTIONS = 8;
const LOAD_SECONDS_MAX = 3_600;

/** Stands in the body of every call that is sent after its key's revoke has returned; the vendor looks for it. */
const AFTER = "sent_after_the_revoke";

type Revoke = (key: IssuedKey) => Promise<void>;

interface Tally {
  readonly revokes: number;
  readonly seconds: number;
  readonly revokeMs: readonly number[];
  /** Calls after a revoke that Keybrake did not answer with 401. */
  readonly admitted: number;
  readonly callsAfter: number;
}

async function run(context: Context): Promise<Findings> {
  const { directory, say, sizes } = context;
  let leaked = 0;
  const upstreamPort = await freePort();
  const vendor = listenAsVendor(upstreamPort, (text) => {
    if (text.includes(AFTER)) leaked += 1;
  });
  try {
    const installation = await KeybrakeInstallation.open(directory, upstreamPort);
    const admin = await installation.adminToken();
    const request = charge(await installation.issueKey("bench/others"));
    await installation.serve();
    say(`issuing ${(sizes.revokes + sizes.commandRevokes).toLocaleString("en-US")} keys`);
    const keys = await installation.issueKeys(admin, sizes.revokes + sizes.commandRevokes);
    const options = { url: installation.chargeUrl, connections: LOAD_CONNECTIONS, seconds: LOAD_SECONDS_MAX, request };
    // Runs until the section ends; it is stopped with everything else.
    load(directory, options).catch(() => {});
    const byApi = keys.splice(0, sizes.revokes);
    const api = await revokeAll(installation, byApi, revokeByApi(installation, admin), say);
    const rows = rowsOf("API", api, leaked);
    leaked = 0;
    const command: Revoke = async ({ id }) => void (await installation.command(["key", "revoke", id]));
    const commands = await revokeAll(installation, keys, command, say);
    return { rows: [...rows, ...rowsOf("command line", commands, leaked)] };
  } finally {
    vendor.stop(true);
  }
}

function rowsOf(by: string, { revokes, seconds, revokeMs, admitted, callsAfter }: Tally, leaked: number): Row[] {
  const count = revokes.toLocaleString("en-US");
  const note = `${callsAfter.toLocaleString("en-US")} calls were sent after one, ${admitted} were not answered with 401`;
  const p99Ms = percentile(revokeMs, 99);
  return [
    // An answer other than 401 fails the measure, too: the vendor is asked only what it saw.
    measured(
      `calls let through after ${count} revokes by the ${by}`,
      Math.max(leaked, admitted),
      "calls",
      atMost(0),
      note,
    ),
    measured(
      `revokes/s by the ${by} under load`,
      revokes / seconds,
      "revokes/s",
      null,
      `a revoke takes ${p99Ms.toFixed(1)} ms at p99`,
    ),
  ];
}

function revokeByApi(installation: KeybrakeInstallation, admin: string): Revoke {
  const connections: Connection[] = [];
  return async ({ id }) => {
    const connection = connections.pop() ?? (await Connection.open(installation.port));
    const headers = { Authorization: `Bearer ${admin}` };
    const status = await connection.ask(requestText("DELETE", `/vault/keys/${id}`, headers));
    if (status !== 200) throw new Error(`DELETE /vault/keys/${id} answered ${status ?? "nothing"}`);
    connections.push(connection);
  };
}

async function revokeAll(
  installation: KeybrakeInstallation,
  keys: readonly IssuedKey[],
  revoke: Revoke,
  say: (text: string) => void,
): Promise<Tally> {
  const waiting = [...keys];
  const revokeMs: number[] = [];
  const beganMs = performance.now();
  let admitted = 0;
  const worker = async () => {
    const agents = await Promise.all(Array.from({ length: AGENTS_PER_KEY }, () => Connection.open(installation.port)));
    for (let key = waiting.pop(); key; key = waiting.pop()) {
      const one = await revokeOne(agents, key, revoke);
      revokeMs.push(one.revokeMs);
      admitted += one.admitted;
      if (revokeMs.length % 1_000 === 0) say(`${revokeMs.length.toLocaleString("en-US")} keys revoked`);
    }
    for (const agent of agents) agent.close();
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  const seconds = (performance.now() - beganMs) / 1_000;
  const callsAfter = keys.length * AGENTS_PER_KEY * CALLS_AFTER;
  return { revokes: keys.length, seconds, revokeMs, admitted, callsAfter };
}

/** The agents call without a pause before, during and after the revoke. */
async function revokeOne(agents: readonly Connection[], { id, vault_key }: IssuedKey, revoke: Revoke) {
  const { headers, body } = charge(vault_key);
  const before = postText(CHARGE_PATH, headers, body);
  const after = postText(CHARGE_PATH, headers, body.replace("ord_1", AFTER));
  let isRevoked = false;
  let admitted = 0;
  const warm = Promise.withResolvers<void>();
  let inUse = 0;
  const agent = async (connection: Connection) => {
    for (let call = 1; !isRevoked; call++) {
      const status = await connection.ask(before);
      if (status !== 200 && status !== 401) throw new Error(`a call was answered ${status ?? "nothing"}`);
      if (call === CALLS_BEFORE && ++inUse === agents.length) warm.resolve();
    }
    for (let call = 0; call < CALLS_AFTER; call++) if ((await connection.ask(after)) !== 401) admitted += 1;
  };
  const calling = Promise.all(agents.map(agent));
  calling.catch(warm.reject);
  await warm.promise;
  const beganMs = performance.now();
  await revoke({ id, vault_key });
  const revokeMs = performance.now() - beganMs;
  isRevoked = true;
  await calling;
  return { revokeMs, admitted };
}
