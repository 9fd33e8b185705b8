import type { Scenario } from "./check.ts";
import type { World } from "./world.ts";

/** An example that charges customers $20 each within `POST /runs/{run}`, and in jobs beside. */
export interface WebExample {
  /** What starts its server. */
  readonly serve: (world: World, port: number) => readonly string[];
  /** Variables of all its processes. */
  readonly env?: Readonly<Record<string, string>>;
  /** Has a job run with the label `job/{run}`. */
  readonly job: (run: JobRequest) => Promise<unknown>;
}

export interface JobRequest {
  readonly world: World;
  readonly origin: string;
  readonly env: Readonly<Record<string, string>>;
  readonly run: string;
  readonly budgetUsd: number;
  readonly customers: readonly string[];
}

const EACH_CENTS = 2000;
const BUDGET_USD = 100;
const ADMITTED = 5;
/** Frameworks take long to load where the machine has other work. */
const MS_MAX = 570_000;

/** What every web framework has to hold. One server for all of it: loading a framework takes longer than the calls. */
export function webScenarios(example: WebExample): readonly Scenario[] {
  return [
    {
      title:
        "two requests at once have a key each: one is stopped at exactly its cap and answered 402, the other is not; Stripe's failing for the moment is not seen",
      timeoutMs: MS_MAX,
      run: (world) => withServer(world, example, (origin) => twoRequests(world, origin)),
    },
    {
      title: "a job has a key of its own, is stopped at exactly its cap, and leaves no key behind",
      timeoutMs: MS_MAX,
      run: (world) =>
        withServer(world, example, async (origin) => {
          const env = example.env ?? {};
          await example.job({ world, origin, env, run: "august", budgetUsd: BUDGET_USD, customers: customers(12) });
          const label = "job/august";
          await world.until(
            "the end of the job",
            async () => (await world.keys()).some(({ status }) => status === "revoked"),
            MS_MAX,
          );
          await world.expectCapped({ label, eachCents: EACH_CENTS, admitted: ADMITTED, refused: 1 });
          await world.expectRevoked(label);
        }),
    },
  ];
}

async function twoRequests(world: World, origin: string): Promise<void> {
  const [capped, fine] = await Promise.all([
    post(`${origin}/runs/capped`, { customers: customers(12), budget_usd: BUDGET_USD }),
    post(`${origin}/runs/fine`, { customers: customers(2), budget_usd: BUDGET_USD }),
  ]);
  const answers = [capped.status, (await told(capped))["stopped_by"], fine.status, await told(fine)];
  expectEqual("answers", answers, [402, "daily_usd_cap", 200, { charged: 2 }]);
  world.expectCharged(ADMITTED + 2, (ADMITTED + 2) * EACH_CENTS);
  await world.expectAudited({ label: "run/capped", eachCents: EACH_CENTS, admitted: ADMITTED, refused: 1 });
  await world.expectAudited({ label: "run/fine", eachCents: EACH_CENTS, admitted: 2, refused: 0 });
  world.stripe.failNext(1);
  const busy = await post(`${origin}/runs/busy`, { customers: customers(1), budget_usd: BUDGET_USD });
  expectEqual("the answer of a busy Stripe", [busy.status, await told(busy)], [200, { charged: 1 }]);
  world.expectCharged(ADMITTED + 3, (ADMITTED + 3) * EACH_CENTS);
  for (const run of ["capped", "fine", "busy"]) await world.expectRevoked(`run/${run}`);
}

async function withServer(
  world: World,
  { serve, env = {} }: WebExample,
  run: (origin: string) => Promise<void>,
): Promise<void> {
  const port = await world.freePort();
  const server = world.start(serve(world, port), { env });
  const origin = `http://127.0.0.1:${port}`;
  try {
    await world.until("the server", () => fetch(origin).catch(() => undefined), MS_MAX);
    await run(origin);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${server.output()}`);
  }
}

/** `cus_1` and so on. */
function customers(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `cus_${index + 1}`);
}

/** A request of the example's own JSON. */
export function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(MS_MAX),
  });
}

async function told(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new Error(`${response.url} answered ${response.status} ${text.slice(0, 500)}`);
  }
}

function expectEqual(what: string, found: unknown, expected: unknown): void {
  if (Bun.deepEquals(found, expected)) return;
  throw new Error(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}
