import { expectSame } from "./books.ts";
import type { Scenario } from "./check.ts";
import type { World } from "./world.ts";

const CUSTOMERS = ["cus_1", "cus_2", "cus_3", "cus_4"];
const CENTS = 2000;
const TIMEOUT_MS = 600_000;

/** An example that is an HTTP server: `POST /billing-runs/:run`, with one vault key for each request. */
export interface HttpApp {
  /** Before `/` and the run in its keys' labels. */
  readonly prefix: string;
  /** Starts it and gives its address once it listens. */
  readonly serve: (world: World) => Promise<string>;
}

/** What each such example promises. */
export function httpScenarios(app: HttpApp): readonly Scenario[] {
  return [
    {
      title: "a run is stopped at exactly its cap, its caller is told 402, and nothing repeats the refused call",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const answer = await post(await app.serve(world), "41", 50);
        const text = await answer.text();
        if (answer.status !== 402) throw new Error(`the answer was ${answer.status}: ${text}`);
        expectSame("the answer", JSON.parse(text), { charged: ["cus_1", "cus_2"], stoppedBy: "daily_usd_cap" });
        const label = `${app.prefix}/41`;
        await world.expectCapped({ label, eachCents: CENTS, admitted: 2, refused: 1 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a caller that goes away ends its run: the charge under way is the last, and the key is revoked",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const url = await app.serve(world);
        const resume = world.stripe.pause();
        const caller = new AbortController();
        const asked = post(url, "43", 100, caller.signal).catch(() => undefined);
        await world.until("the first charge", () => world.stripe.calls.length === 1, TIMEOUT_MS);
        caller.abort();
        await asked;
        // What the server answers now, it answers after it has seen that the caller is gone.
        for (let requests = 0; requests < 3; requests++) await (await fetch(url)).text();
        resume();
        const label = `${app.prefix}/43`;
        const isRevoked = async () => (await world.keys(label)).every(({ status }) => status === "revoked");
        await world.until("the revoke", isRevoked, TIMEOUT_MS);
        world.expectCharged(1, CENTS);
      },
    },
  ];
}

/** Stripe's SDK waits for the Retry-After and repeats the call, within the request. */
export function retriedBySdk(app: HttpApp): Scenario {
  return {
    title: "a 503 of Stripe's is tried again and charged once",
    timeoutMs: TIMEOUT_MS,
    run: async (world) => {
      const url = await app.serve(world);
      world.stripe.failNext(1);
      const answer = await post(url, "42", 100);
      if (answer.status !== 200) throw new Error(`the answer was ${answer.status}: ${await answer.text()}`);
      world.expectCharged(CUSTOMERS.length, CUSTOMERS.length * CENTS);
      await world.expectRevoked(`${app.prefix}/42`);
    },
  };
}

/** Starts `command` on a free port and waits until it answers there. */
export async function serveOn(
  world: World,
  command: (port: number) => readonly string[],
  cwd?: string,
): Promise<string> {
  const port = await world.freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = world.start(command(port), { env: { PORT: String(port) }, ...(cwd === undefined ? {} : { cwd }) });
  await world.until(
    "the server",
    async () => {
      const ended = await Promise.race([server.finished, Bun.sleep(0)]);
      if (ended) throw new Error(`the server ended with ${ended.code}:\n${server.output()}`);
      return fetch(url).then(
        () => true,
        () => false,
      );
    },
    TIMEOUT_MS,
  );
  return url;
}

function post(url: string, run: string, budgetUsd: number, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/billing-runs/${run}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ customers: CUSTOMERS, cents: CENTS, budgetUsd }),
    ...(signal ? { signal } : {}),
  });
}
