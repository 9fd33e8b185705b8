import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../test/harness/free-port.ts";
import { type Bench, makeBench, type RunningKeybrake } from "../../test/harness/keybrake.ts";
import { setVendor } from "../../test/harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../../test/harness/vendor-double.ts";
import { type Books, makeBooks } from "./books.ts";
import { type Finished, type Running, type RunOptions, runProcess, startProcess, succeeded } from "./processes.ts";
import { type StripeDouble, startStripeDouble } from "./stripe-double.ts";
import type { Tools } from "./tools.ts";

/** What a scenario has: a Keybrake of its own that runs, a Stripe behind it, and the installed stack. */
export interface World extends Tools, Books {
  /** The data directory and the command line of the operator: `world.bench.json(["key", "list"])`. */
  readonly bench: Bench;
  readonly server: RunningKeybrake;
  readonly stripe: StripeDouble;
  /** What each command gets: KEYBRAKE_URL, KEYBRAKE_API_KEY (an issuer's), a home of its own; no proxy. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command in `folder` with `env`, to its end; some minutes where it does not say. It may fail. */
  exec(command: readonly string[], options?: RunOptions): Promise<Finished>;
  /** `exec`. @throws Error where it does not exit with 0. */
  succeeds(command: readonly string[], options?: RunOptions): Promise<Finished>;
  /** A worker or a server beside the scenario. It ends with the scenario, with all that it has started. */
  start(command: readonly string[], options?: Omit<RunOptions, "timeoutMs">): Running;
  /** One more vendor: a server on loopback that answers as `answer` says and stands behind Keybrake as this vendor. */
  vendor(name: string, answer: VendorDouble["answer"]): Promise<VendorDouble>;
  /** Looks until `probe` gives something; three minutes where it does not say. @throws Error with `what` did not come. */
  until<T>(what: string, probe: () => Promise<T | undefined | false> | T | undefined | false, ms?: number): Promise<T>;
  freePort(): Promise<number>;
  /** Another control token. */
  token(role: "admin" | "auditor" | "issuer", flags?: readonly string[]): Promise<string>;
}

/** Looks like a secret to the tests and to nobody else. */
const SECRETS: Readonly<Record<string, string>> = {
  stripe: "sk_test_integration_0123456789abcdef",
  twilio: "integration0twilio0token0abcdef0",
  resend: "re_integration_0123456789abcdef",
};
const EXEC_MS_MAX = 400_000;
const UNTIL_MS_MAX = 180_000;

/** @param stop ends and removes all of it, with every process that was started. */
export async function makeWorld(tools: Tools): Promise<{ world: World; stop: () => Promise<void> }> {
  const home = mkdtempSync(join(tmpdir(), "keybrake-integration-"));
  const bench = await makeBench();
  const stripe = await startStripeDouble();
  const doubles: VendorDouble[] = [];
  const running: Running[] = [];
  const stop = async () => {
    await Promise.all(running.map((each) => each.killAll()));
    await bench.stop();
    await Promise.all([stripe.stop(), ...doubles.map((double) => double.stop())]);
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const token: World["token"] = async (role, flags = []) =>
      (await bench.json<{ token: string }>(["token", "issue", "--role", role, ...flags])).token;
    await setVendor(bench, "stripe", { origin: stripe.origin, secret: SECRETS["stripe"]! });
    const server = await bench.serve();
    const env = environmentOf(home, server.url, await token("issuer"));
    const place = ({ cwd = tools.folder, env: own = {} }: RunOptions) => ({ cwd, env: { ...env, ...own } });
    const exec: World["exec"] = (command, options = {}) =>
      runProcess(command, { timeoutMs: EXEC_MS_MAX, ...options, ...place(options) });
    const world: World = {
      ...tools,
      ...makeBooks(bench, stripe),
      bench,
      server,
      stripe,
      env,
      exec,
      succeeds: async (command, options) => succeeded(command, await exec(command, options)),
      start: (command, options = {}) => {
        const started = startProcess(command, { ...options, ...place(options) });
        running.push(started);
        return started;
      },
      vendor: async (name, answer) => {
        const double = await startVendorDouble(answer);
        doubles.push(double);
        await setVendor(bench, name, {
          origin: double.origin,
          secret: SECRETS[name] ?? `${name}_integration_0123456789`,
        });
        return double;
      },
      until,
      freePort,
      token,
    };
    return { world, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Nothing of this machine's settings but the path; frameworks write into HOME, so that is one that goes away. */
function environmentOf(home: string, url: string, apiKey: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    TMPDIR: home,
    LANG: "C.UTF-8",
    KEYBRAKE_URL: url,
    KEYBRAKE_API_KEY: apiKey,
    STRIPE_SUPPRESS_NOTICES: "true",
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    NO_COLOR: "1",
    DO_NOT_TRACK: "1",
  };
}

const until: World["until"] = async (what, probe, ms = UNTIL_MS_MAX) => {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${ms} ms`);
    await Bun.sleep(50);
  }
};
