import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { Running } from "../../scripts/integrations/processes.ts";
import type { World } from "../../scripts/integrations/world.ts";

const TSX = "node_modules/.bin/tsx";
const TIMEOUT_MS = 600_000;

export const check: IntegrationCheck = {
  stack: "BullMQ",
  page: "bullmq",
  ran: "runtime",
  how: "on a Redis server",
  install: async (tools) => {
    await tools.npm();
    await tools.install(["redis-server", "--version"]);
  },
  version: (tools) => tools.says(["node", "-p", "require('./node_modules/bullmq/package.json').version"]),
  scenarios: [
    {
      title: "jobs that run five at a time are stopped at exactly the run's cap, and none is tried again for it",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { env } = await redisAndWorker(world);
        const { stdout } = await world.succeeds([TSX, "bill.ts", "41", "12", "100"], { env, timeoutMs: TIMEOUT_MS });
        const label = "bullmq-billing/41";
        const told = { label, charged: 5, failed: ["stopped by daily_usd_cap"] };
        if (!Bun.deepEquals(JSON.parse(stdout), told)) throw new Error(`it said ${stdout}`);
        await world.expectCapped({ label, eachCents: 2000, admitted: 5, refused: 7 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a 503 of Stripe's is tried again by BullMQ and charged once",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { env } = await redisAndWorker(world);
        world.stripe.failNext(2);
        const { stdout } = await world.succeeds([TSX, "bill.ts", "42", "3", "100"], { env, timeoutMs: TIMEOUT_MS });
        const label = "bullmq-billing/42";
        if (!Bun.deepEquals(JSON.parse(stdout), { label, charged: 3, failed: [] }))
          throw new Error(`it said ${stdout}`);
        if (world.stripe.calls.length < 5) throw new Error("nothing was tried again");
        world.expectCharged(3, 6000);
        await world.expectRevoked(label);
      },
    },
    {
      title: "a run that is cancelled is revoked: what is still in the queue charges nothing",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { env, worker } = await redisAndWorker(world);
        const resume = world.stripe.pause();
        const run = world.start([TSX, "bill.ts", "43", "12", "500"], { env });
        await world.until("five charges", () => world.stripe.calls.length === 5, TIMEOUT_MS);
        const { code } = await run.kill("SIGTERM");
        if (code === 0) throw new Error(`the run ended well: ${run.output()}`);
        const label = "bullmq-billing/43";
        await world.expectRevoked(label);
        resume();
        await worker.kill("SIGTERM");
        world.expectCharged(5, 10_000);
      },
    },
  ],
};

async function redisAndWorker(world: World): Promise<{ env: Record<string, string>; worker: Running }> {
  const port = String(await world.freePort());
  const redis = world.start(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", ""]);
  await world.until("Redis", () => redis.output().includes("Ready to accept connections"), TIMEOUT_MS);
  const env = { REDIS_URL: `redis://127.0.0.1:${port}` };
  return { env, worker: world.start([TSX, "worker.ts"], { env: { ...env, KEYBRAKE_API_KEY: undefined } }) };
}
