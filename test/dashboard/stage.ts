import type { Browser } from "puppeteer-core";
import { type Bench, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { launchChromium } from "./chromium.ts";
import { type Visit, type VisitSetting, visit } from "./visit.ts";

/** A running server with simulated vendors, a browser, and a token to sign in with. */
export interface Stage {
  readonly bench: Bench;
  readonly browser: Browser;
  readonly server: () => RunningKeybrake;
  readonly adminToken: string;
  /** A new browser at the dashboard, signed in as an admin or with another token. */
  enter(setting?: VisitSetting & { readonly token?: string }): Promise<Visit>;
  /** A key for Stripe that may charge and read customers, as the command line issues it. */
  issue(label: string, flags?: readonly string[]): Promise<IssuedKey>;
  /** Charges with the key; `sandbox` asks the simulated Stripe for a failure. */
  charge(key: Pick<IssuedKey, "vault_key">, cents: number, sandbox?: string): Promise<Response>;
  /** Stops the server, and starts another at the same address. */
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  end(): Promise<void>;
}

export async function setStage(prepare: (bench: Bench) => Promise<void> = async () => {}): Promise<Stage> {
  const bench = await makeBench();
  await prepare(bench);
  const { token: adminToken } = await bench.json<{ token: string }>(["token", "issue", "--role", "admin"]);
  const browser = await launchChromium();
  let server = await bench.serve(["--sandbox"]);
  return {
    bench,
    browser,
    adminToken,
    server: () => server,
    enter: async ({ token = adminToken, ...setting } = {}) => {
      const visited = await visit(browser, server.url, setting);
      await visited.signIn(token);
      return visited;
    },
    issue: (label, flags = []) =>
      bench.json<IssuedKey>([
        ...["key", "issue", "--vendor", "stripe", "--label", label, "--expires-in", "2h"],
        ...["--allowed-endpoints", "POST /v1/payment_intents,GET /v1/customers/*"],
        ...(flags.some((flag) => flag.startsWith("--daily")) ? [] : ["--daily-usd-cap", "100"]),
        ...flags,
      ]),
    charge: ({ vault_key }, cents, sandbox) => {
      const failure = sandbox === undefined ? "" : `&metadata[sandbox]=${sandbox}`;
      return fetch(`${server.url}/stripe/v1/payment_intents`, {
        method: "POST",
        headers: { authorization: `Bearer ${vault_key}`, "content-type": "application/x-www-form-urlencoded" },
        body: `amount=${cents}&currency=usd&confirm=true&payment_method=pm_card_visa${failure}`,
      });
    },
    stopServer: async () => {
      await server.kill("SIGKILL");
    },
    startServer: async () => {
      server = await bench.serve(["--sandbox"]);
    },
    end: async () => {
      await browser.close();
      await bench.stop();
    },
  };
}
