import { dirname, join } from "node:path";
import { type Bench, type IssuedKey, makeBench } from "../../harness/keybrake.ts";
import { setVendor } from "../../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../../harness/vendor-double.ts";
import { type Agent, runAgent, type SdkOutcome, type SdkRun } from "./agents.ts";
import { type Hop, startHop } from "./hop.ts";
import type { RefusalName } from "./refusals.ts";
import { VENDOR_CASES, type VendorCase, type VendorName } from "./vendors.ts";

/** How one agent took one refusal. */
export interface Cell {
  /** Of the calls before the refused one. */
  readonly before: readonly SdkOutcome[];
  readonly refused: SdkOutcome;
  /** Statuses that the refused call's attempts were answered with; each is a request that reached Keybrake. */
  readonly attempts: readonly number[];
  /** Verdicts in the audit, one per row, oldest first. */
  readonly verdicts: readonly string[];
}

export type Cells = Readonly<Record<RefusalName, Cell>>;

/** Installations in which each refusal can be met, behind hops that count. */
export interface Rig {
  /** Runs an agent into each of `refusals`. @param command as in `runAgent`. */
  play(agent: Agent, command: readonly string[], refusals: readonly RefusalName[]): Promise<Cells>;
  readonly doubles: ReadonlyMap<VendorName, VendorDouble>;
  stop(): Promise<void>;
}

/** An installation that runs. */
interface Site {
  readonly url: string;
  readonly adminToken: string;
}

export async function startRig(): Promise<Rig> {
  const doubles = new Map<VendorName, VendorDouble>();
  for (const [name, { answer }] of Object.entries(VENDOR_CASES)) {
    doubles.set(name as VendorName, await startVendorDouble(answer));
  }
  const [usual, bare, frozen] = await Promise.all([makeBench(), makeBench(), makeBench()]);
  await Promise.all([usual, frozen].map((bench) => setVendors(bench, doubles)));
  await freeze(frozen);
  const [site, bareSite, frozenSite] = await Promise.all([usual, bare, frozen].map(siteOf));
  const sites: Readonly<Record<RefusalName, Site>> = {
    revoked: site!,
    denied: site!,
    capped: site!,
    unconfigured: bareSite!,
    frozen: frozenSite!,
  };
  return {
    doubles,
    play: async (agent, command, refusals) => {
      const cells: Prepared[] = [];
      for (const refusal of refusals) cells.push(await prepare(sites[refusal], agent, refusal));
      const runs = cells.map(({ run }) => run);
      const outcomes = await runAgent(command, agent, runs);
      const read = await Promise.all(cells.map((cell) => cellOf(cell, outcomes[cell.run.name]!)));
      return Object.fromEntries(read.map((cell, index) => [refusals[index]!, cell])) as Record<RefusalName, Cell>;
    },
    stop: async () => {
      await Promise.all([usual, bare, frozen].map((bench) => bench.stop()));
      await Promise.all([...doubles.values()].map((double) => double.stop()));
    },
  };
}

async function setVendors(bench: Bench, doubles: Rig["doubles"]): Promise<void> {
  for (const [name, { origin }] of doubles) {
    const { secret, settings }: VendorCase = VENDOR_CASES[name];
    await setVendor(bench, name, { origin, secret, settings });
  }
}

/** Goes back to a backup: until an operator has confirmed that, nobody knows what was spent since, and nothing works. */
async function freeze(bench: Bench): Promise<void> {
  const file = join(dirname(bench.dataDir), "backup.db");
  await bench.json(["backup", file]);
  await bench.json(["restore", file, "--yes"]);
}

async function siteOf(bench: Bench): Promise<Site> {
  const { token } = await bench.json<{ token: string }>(["token", "issue", "--role", "admin"]);
  return { url: (await bench.serve()).url, adminToken: token };
}

/** The control API, since a command for each key and row would be most of the tests' time. */
async function ask<T>({ url, adminToken }: Site, method: string, path: string, body?: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
  const answer = await fetch(`${url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

interface Prepared {
  readonly site: Site;
  readonly hop: Hop;
  readonly keyId: string;
  readonly run: SdkRun;
}

/** A key of its own for each cell, so that its audit rows are this cell's and nobody else's. */
async function prepare(site: Site, { vendor }: Agent, refusal: RefusalName): Promise<Prepared> {
  const { endpoints, otherEndpoint, cap }: VendorCase = VENDOR_CASES[vendor];
  const allowed = refusal === "denied" ? [otherEndpoint] : endpoints;
  const policy = { vendor, ...cap, allowed_endpoints: allowed, expires_in: "1h" };
  const key = await ask<IssuedKey>(site, "POST", "/vault/keys", policy);
  if (refusal === "revoked") await ask(site, "DELETE", `/vault/keys/${key.id}?reason=stuck%20loop`);
  const hop = startHop(site.url);
  const run = { name: refusal, url: hop.url, key: key.vault_key, calls: refusal === "capped" ? 2 : 1 };
  return { site, hop, keyId: key.id, run };
}

async function cellOf({ site, hop, keyId }: Prepared, outcomes: readonly SdkOutcome[]): Promise<Cell> {
  await hop.stop();
  const { rows } = await ask<{ rows: { policy_verdict: string }[] }>(site, "GET", `/audit?key_id=${keyId}`);
  return {
    before: outcomes.slice(0, -1),
    refused: outcomes.at(-1)!,
    attempts: hop.attempts.map(({ status }) => status).filter((status) => status >= 400),
    verdicts: rows.map(({ policy_verdict }) => policy_verdict),
  };
}
