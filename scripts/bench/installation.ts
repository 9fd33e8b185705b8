import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { freePort } from "../../test/harness/free-port.ts";
import { type Process, runProcess, startProcess, stopProcess, untilListening } from "./processes.ts";

/** The built binary: what users run is what is measured. */
export const KEYBRAKE = resolve(process.env["KEYBRAKE_BINARY"] ?? join(import.meta.dir, "../../dist/keybrake"));

/** Where a Stripe PaymentIntent is made, at Keybrake. */
export const CHARGE_PATH = "/stripe/v1/payment_intents";

/** What every vault key of the benchmark may do; no load of minutes reaches the cap. */
const POLICY = { vendor: "stripe", daily_usd_cap: 900_000_000, allowed_endpoints: ["POST /v1/payment_intents"] };

export interface IssuedKey {
  readonly id: string;
  readonly vault_key: string;
}

/** A data directory and the commands on it, with the benchmark's vendor in Stripe's place. */
export class KeybrakeInstallation {
  readonly port: number;
  readonly dataDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly #root: string;
  #server: Process | undefined;

  private constructor(root: string, port: number, settings: Readonly<Record<string, string>>) {
    this.#root = root;
    this.port = port;
    this.dataDir = join(root, "data");
    this.environment = {
      HOME: root,
      KEYBRAKE_DATA: this.dataDir,
      KEYBRAKE_LISTEN: `127.0.0.1:${port}`,
      NO_COLOR: "1",
      ...settings,
    };
  }

  /**
   * @param root holds the data directory `data`; one that is there already is taken as it is.
   * @param settings environment variables of this installation alone.
   */
  static async open(
    root: string,
    upstreamPort: number,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<KeybrakeInstallation> {
    if (!existsSync(KEYBRAKE)) throw new Error(`${KEYBRAKE} is not there: bun run build`);
    mkdirSync(root, { recursive: true });
    const installation = new KeybrakeInstallation(root, await freePort(), settings);
    const origin = `http://127.0.0.1:${upstreamPort}`;
    await installation.command(["vendor", "set", "stripe", "--origin", origin, "--private"], "sk_test_bench_secret");
    return installation;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get chargeUrl(): string {
    return this.url + CHARGE_PATH;
  }

  /** The server's process id; it has to run. */
  get pid(): number {
    if (!this.#server) throw new Error("the server does not run");
    return this.#server.pid;
  }

  command(args: readonly string[], stdin?: string): Promise<string> {
    const options = { cwd: this.#root, environment: this.environment, ...(stdin === undefined ? {} : { stdin }) };
    return runProcess([KEYBRAKE, ...args], options);
  }

  /** Without waiting for it. */
  spawnServer(): Process {
    this.#server = startProcess([KEYBRAKE, "serve"], { cwd: this.#root, environment: this.environment });
    return this.#server;
  }

  async serve(): Promise<void> {
    await untilListening(this.spawnServer(), this.port, "keybrake serve");
  }

  async stop(): Promise<void> {
    if (this.#server) await stopProcess(this.#server);
    this.#server = undefined;
  }

  /** A key that the command line issues: the token alone. */
  async issueKey(label: string): Promise<string> {
    const { vendor, daily_usd_cap, allowed_endpoints } = POLICY;
    const policy = ["--vendor", vendor, "--daily-usd-cap", String(daily_usd_cap)];
    const allowed = ["--allowed-endpoints", allowed_endpoints.join(","), "--expires-in", "1d"];
    return (await this.command(["key", "issue", ...policy, ...allowed, "--label", label, "--quiet"])).trim();
  }

  async adminToken(): Promise<string> {
    return (await this.command(["token", "issue", "--role", "admin", "--quiet"])).trim();
  }

  /** Issues keys through the API of the running server, some at a time. */
  async issueKeys(token: string, count: number): Promise<IssuedKey[]> {
    const keys: IssuedKey[] = [];
    let begun = 0;
    const client = async () => {
      while (begun < count) {
        const response = await fetch(`${this.url}/vault/keys`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: keyRequest(`bench/${begun++}`),
        });
        if (response.status !== 201)
          throw new Error(`a key was refused with ${response.status}: ${await response.text()}`);
        const { id, vault_key } = (await response.json()) as IssuedKey;
        keys.push({ id, vault_key });
      }
    };
    await Promise.all(Array.from({ length: 16 }, client));
    return keys;
  }
}

/** The body of `POST /vault/keys`. */
export function keyRequest(label: string): string {
  return JSON.stringify({ ...POLICY, expires_in: "1d", agent_run_label: label });
}
