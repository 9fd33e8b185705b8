import { expectSame } from "../../scripts/integrations/books.ts";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CHARGE_CENTS = 2999;
/** A broker and two workers take a while to come up on a busy machine. */
const TIMEOUT_MS = 600_000;

/** A Redis, a worker for charges that has no control token, and one that revokes and has it. */
async function startCelery(world: World) {
  const port = await world.freePort();
  world.start(["redis-server", "--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
  const env = {
    CELERY_BROKER_URL: `redis://127.0.0.1:${port}/0`,
    CELERY_RESULT_BACKEND: `redis://127.0.0.1:${port}/1`,
  };
  const worker = (queue: string, processes: string, own: Record<string, string | undefined>) =>
    world.start(
      [
        ...[world.bin("celery"), "-A", "tasks", "worker", "-Q", queue, "-n", `${queue}@%h`, "-c", processes],
        ...["--loglevel", "INFO", "--without-mingle", "--without-gossip"],
      ],
      { env: { ...env, ...own } },
    );
  const charging = worker("celery", "4", { KEYBRAKE_API_KEY: undefined, KEYBRAKE_URL: undefined });
  const control = worker("control", "1", {});
  for (const each of [charging, control])
    await world.until("a worker that is ready", () => each.output().includes(" ready."), TIMEOUT_MS);
  return { env, charging, bill: [world.bin("python"), "bill.py"] };
}

/** Waits for the revoke of the run's one key. The reason tells the chord's callback from its errback. */
async function reasonOfRevoke(world: World, label: string): Promise<string | null> {
  const key = await world.until("the key to be revoked", async () =>
    (await world.keys(label)).find(({ status }) => status === "revoked"),
  );
  return key.revoke_reason;
}

export const check: IntegrationCheck = {
  stack: "Celery",
  page: "celery",
  ran: "runtime",
  how: "worker processes on Redis",
  install: async (tools) => {
    await tools.says(["redis-server", "--version"]);
    await tools.python();
  },
  version: (tools) => tools.says([tools.bin("python"), "-c", "import celery; print(celery.__version__)"]),
  scenarios: [
    {
      title: "a group over worker processes is stopped at exactly its cap, and no charge that it refused is retried",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { env, bill, charging } = await startCelery(world);
        await world.succeeds([...bill, "nightly-1", "--customers", "20", "--budget", "150"], {
          env,
          timeoutMs: TIMEOUT_MS,
        });
        const label = await world.onlyLabel();
        await world.expectCapped({ label, eachCents: CHARGE_CENTS, admitted: 5, refused: 15 });
        await world.expectRevoked(label);
        if (/\bRetry in\b/.test(charging.output())) throw new Error("Celery retried a cap hit");
      },
    },
    {
      title: "a chord that nobody waits for is stopped at its cap, and its callback revokes the key",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { env, bill } = await startCelery(world);
        await world.succeeds([...bill, "nightly-2", "--customers", "9", "--budget", "150", "--detach"], {
          env,
          timeoutMs: TIMEOUT_MS,
        });
        const label = await world.onlyLabel();
        expectSame("why the key is revoked", await reasonOfRevoke(world, label), "the run ended");
        await world.expectCapped({ label, eachCents: CHARGE_CENTS, admitted: 5, refused: 4 });
      },
    },
    {
      title: "a 503 of the vendor is retried by Celery, and charges once",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { env, bill, charging } = await startCelery(world);
        world.stripe.failNext(2);
        await world.succeeds([...bill, "nightly-3", "--customers", "3"], { env, timeoutMs: TIMEOUT_MS });
        world.expectCharged(3, 3 * CHARGE_CENTS);
        if (!/\bRetry in\b/.test(charging.output())) throw new Error("it was not Celery that tried again");
        await world.expectRevoked(await world.onlyLabel());
      },
    },
    {
      title: "a charge that is declined for good ends the run: the chord's errback revokes the key",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { env, bill } = await startCelery(world);
        const error = { type: "card_error", code: "card_declined", message: "The card was declined." };
        world.stripe.failNext(1, { status: 402, body: JSON.stringify({ error }) });
        await world.succeeds([...bill, "nightly-4", "--customers", "1", "--detach"], { env, timeoutMs: TIMEOUT_MS });
        const label = await world.onlyLabel();
        expectSame("why the key is revoked", await reasonOfRevoke(world, label), "a charge of the run failed");
        world.expectCharged(0, 0);
      },
    },
    {
      title: "a run that is interrupted revokes the key, and what is queued charges nothing any more",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { env, bill } = await startCelery(world);
        const resume = world.stripe.pause();
        const run = world.start([...bill, "nightly-5", "--customers", "12"], { env });
        await world.until("four charges on their way", () => world.stripe.calls.length === 4, TIMEOUT_MS);
        await run.kill("SIGINT");
        const label = await world.onlyLabel();
        await world.expectRevoked(label);
        resume();
        await world.until("every charge to be tried", async () => (await world.audit(label)).length === 12, TIMEOUT_MS);
        world.expectCharged(4, 4 * CHARGE_CENTS);
      },
    },
  ],
};
