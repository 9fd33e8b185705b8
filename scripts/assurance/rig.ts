import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { type Bench, makeBench } from "../../test/harness/keybrake.ts";
import { succeededIntent } from "../../test/harness/stripe-answers.ts";
import { type RecordedRequest, startVendorDouble, type VendorDouble } from "../../test/harness/vendor-double.ts";
import { HttpClient } from "./http-client.ts";
import type { AuditedCall, SentCall, VendorCall } from "./ledger-violations.ts";
import { type ServerProcess, spawnServer, untilListening } from "./server-process.ts";

export interface Key {
  readonly id: string;
  readonly vault_key: string;
}

/** A data directory, a vendor, and servers that come and go. */
export interface Rig {
  readonly bench: Bench;
  readonly vendor: VendorDouble;
  /** Starts a server on the data directory; on the rig's own port where none is given. */
  start(options?: StartOptions): Promise<ServerProcess>;
  /** The same, without waiting for it. */
  spawn(options?: StartOptions): ServerProcess;
  /** Issues a key by the control API of a running server. */
  issueKey(server: ServerProcess, capUsd: number): Promise<Key>;
  revoke(server: ServerProcess, key: Key): Promise<void>;
  rows(server: ServerProcess, key: Key): Promise<AuditedCall[]>;
  /** What is used of the key's daily cap, in dollars. */
  usedUsd(server: ServerProcess, key: Key): Promise<number>;
  /** What `keybrake doctor` finds wrong with database and counters. */
  doctor(): Promise<string[]>;
  /** SIGKILL to every server that runs. */
  killAll(): Promise<void>;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly port?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly wrapper?: readonly string[];
}

const CONTROL_ROWS_MAX = 10_000;
/** A store that two servers load can be locked for longer than one waits for it: then nothing was done, and it is asked again. */
const CONTROL_TRIES_MAX = 10;

export interface RigOptions {
  /** Where the data directory is to be; a temporary one where none is given. */
  readonly dataDir?: string;
  /** The URL of the store; SQLite's file in the data directory where none is given. */
  readonly store?: string;
  /** How long its keys last; a day where nothing is said. */
  readonly keysExpireIn?: string;
}

export async function makeRig({ dataDir, store, keysExpireIn = "1d" }: RigOptions = {}): Promise<Rig> {
  const bench = await makeBench();
  if (dataDir !== undefined) bench.environment["KEYBRAKE_DATA"] = dataDir;
  if (store !== undefined) bench.environment["KEYBRAKE_STORE"] = store;
  const vendor = await startVendorDouble(succeededIntent);
  const { environment } = bench;
  const cli = async (args: readonly string[], stdin?: string) => {
    const result = await bench.cli(args, stdin === undefined ? {} : { stdin });
    if (result.code !== 0) throw new Error(`keybrake ${args.join(" ")} exited ${result.code}: ${result.stderr}`);
    return result.stdout;
  };
  await cli(["vendor", "set", "stripe", "--origin", vendor.origin, "--private"], "sk_test_assurance_real_secret");
  const token = (await cli(["token", "issue", "--role", "admin", "--quiet"])).trim();
  const running = new Set<ServerProcess>();
  const spawn = ({ port = bench.port, environment: more = {}, wrapper = [] }: StartOptions = {}) => {
    const options = { cwd: dirname(bench.dataDir), port, environment: { ...environment, ...more }, wrapper };
    const server = spawnServer(options);
    running.add(server);
    void server.exited.then(() => running.delete(server));
    return server;
  };
  const killAll = async () => {
    await Promise.all([...running].map((server) => server.kill()));
  };
  const control = async (server: ServerProcess, method: string, path: string, body?: object, tries = 1) => {
    const response: Response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      keepalive: false,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status === 503 && tries < CONTROL_TRIES_MAX) return control(server, method, path, body, tries + 1);
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  };
  return {
    bench,
    vendor,
    spawn,
    start: (options) => untilListening(spawn(options)),
    issueKey: async (server, capUsd) =>
      (await control(server, "POST", "/vault/keys", {
        vendor: "stripe",
        daily_usd_cap: capUsd,
        allowed_endpoints: ["POST /v1/payment_intents"],
        expires_in: keysExpireIn,
      })) as Key,
    revoke: async (server, key) => {
      await control(server, "DELETE", `/vault/keys/${key.id}`);
    },
    rows: async (server, key) => {
      const rows: AuditedCall[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const query = `key_id=${key.id}&limit=${CONTROL_ROWS_MAX}${cursor === "" ? "" : `&cursor=${cursor}`}`;
        const page = (await control(server, "GET", `/audit?${query}`)) as Page;
        rows.push(...page.rows);
        cursor = page.next_cursor ?? null;
      }
      return rows;
    },
    usedUsd: async (server, key) => {
      const { spend } = (await control(server, "GET", `/vault/keys/${key.id}`)) as KeyView;
      return Number(spend.budgets.find(({ budget }) => budget === "daily_usd_cap")!.used);
    },
    doctor: async () => {
      const findings = JSON.parse(await diagnosis(bench)) as { check: string; level: string; message: string }[];
      return findings
        .filter(({ check, level }) => level === "error" && (check === "database" || check === "counters"))
        .map(({ check, message }) => `doctor, ${check}: ${message}`);
    },
    killAll,
    stop: async () => {
      await killAll();
      await vendor.stop();
      await bench.stop();
      if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Asked again where it could not be told, as `control` does. */
async function diagnosis(bench: Bench, tries = 1): Promise<string> {
  const { stdout, stderr } = await bench.cli(["doctor", "--json"]);
  if (stdout !== "") return stdout;
  if (tries === CONTROL_TRIES_MAX) throw new Error(`keybrake doctor said nothing: ${stderr}`);
  return diagnosis(bench, tries + 1);
}

interface Page {
  readonly rows: readonly AuditedCall[];
  readonly next_cursor?: string | null;
}

interface KeyView {
  readonly spend: { readonly budgets: readonly { readonly budget: string; readonly used: string }[] };
}

/** A charge of `cents`, marked with an event of its own on the row and at the vendor. */
export async function charge(client: HttpClient, key: Key, event: string, cents: number): Promise<SentCall> {
  const headers = {
    authorization: `Bearer ${key.vault_key}`,
    "content-type": "application/x-www-form-urlencoded",
    "x-triggering-event-id": event,
  };
  const body = `amount=${cents}&currency=usd&confirm=true&payment_method=pm_card_visa&metadata[order_id]=${event}`;
  const answer = await client.send("POST", "/stripe/v1/payment_intents", headers, body);
  return { event, cents, status: answer?.status };
}

/** What the double has recorded, and forgets. */
export function takeSeen(vendor: VendorDouble): VendorCall[] {
  return vendor.requests.splice(0).map(seenOf);
}

export function seenOf(request: RecordedRequest): VendorCall {
  const form = new URLSearchParams(request.body);
  const callId = (request.headers["idempotency-key"] ?? "").replace(/^kb_/, "");
  return { callId, event: form.get("metadata[order_id]") ?? "", cents: Number(form.get("amount")) };
}

/** Charges one after another on each of `clients` connections until `isOver` says so or a connection breaks. */
export async function load(
  port: number,
  key: Key,
  options: {
    readonly clients: number;
    readonly prefix: string;
    readonly cents: () => number;
    readonly isOver: () => boolean;
  },
): Promise<SentCall[]> {
  const sent: SentCall[] = [];
  const loop = async (index: number) => {
    const client = new HttpClient(port);
    for (let turn = 0; !options.isOver(); turn++) {
      const call = await charge(client, key, `${options.prefix}-${index}-${turn}`, options.cents());
      sent.push(call);
      if (call.status === undefined) break;
    }
    client.close();
  };
  await Promise.all(Array.from({ length: options.clients }, (_, index) => loop(index)));
  return sent;
}
