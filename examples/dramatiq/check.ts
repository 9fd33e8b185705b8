import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { TOO_FAST } from "../../scripts/integrations/stripe-double.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CENTS = 2999;

/** A Redis of the scenario's own, and two worker processes with four threads each. */
async function redisAndWorkers(world: World): Promise<Record<string, string>> {
  const port = await world.freePort();
  const redis = world.start(["redis-server", "--port", `${port}`, "--bind", "127.0.0.1", "--save", ""]);
  await world.until("redis-server (Debian and Ubuntu have it in the package redis-server)", () =>
    redis.output().includes("Ready to accept connections"),
  );
  const env = { REDIS_URL: `redis://127.0.0.1:${port}/0` };
  const workers = world.start([world.bin("dramatiq"), "actors", "--processes", "2", "--threads", "4"], { env });
  await world.until("the workers", () => workers.output().split("Worker process is ready for action").length > 2);
  return env;
}

export const check: IntegrationCheck = {
  stack: "Dramatiq",
  page: "dramatiq",
  ran: "runtime",
  how: "with its StubBroker, and with workers of their own on Redis",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", "import dramatiq; print(dramatiq.__version__)"]),
  scenarios: [
    {
      title:
        "a group on Redis, over worker processes, is stopped at exactly its cap, and no message is tried again for it",
      run: async (world) => {
        const env = await redisAndWorkers(world);
        const { stdout } = await world.succeeds([world.bin("python"), "dispatch.py", "group", "--run", "r1"], { env });
        if (!stdout.includes('"charged": 5') || !stdout.includes('"CapHit": 7')) throw new Error(stdout);
        await world.expectCapped({ label: "dramatiq-billing/r1", eachCents: CENTS, admitted: 5, refused: 7 });
        await world.expectRevoked("dramatiq-billing/r1");
      },
    },
    {
      title:
        "a group tries again what Stripe cannot answer or finds too fast, charges it once, and still keeps its cap",
      run: async (world) => {
        world.stripe.failNext(1);
        world.stripe.failNext(1, TOO_FAST);
        await world.succeeds([world.bin("python"), "dispatch.py", "group", "--run", "r2"]);
        const label = "dramatiq-billing/r2";
        const rows = await world.audit(label);
        const refused = rows.filter((row) => row.policy_verdict === "cap_exceeded").length;
        world.expectCharged(5, 5 * CENTS);
        // The call of the 503: its row, and its repeat's. That of the 429: its row; it had given its money back.
        await world.expectAudited({ label, eachCents: CENTS, admitted: 5, refused, otherRows: 3 });
        if (refused !== 7) throw new Error(`seven cap hits of one try each were expected, and there were ${refused}`);
        await world.expectRevoked(label);
      },
    },
    {
      title: "a pipeline has one cap over all its stages, and the stage behind the one that hits it never runs",
      run: async (world) => {
        const flags = ["--run", "p1", "--items", "5", "--budget", "60"];
        const { stdout } = await world.succeeds([world.bin("python"), "dispatch.py", "pipeline", ...flags]);
        if (!stdout.includes('{"charged": 2, "CapHit": 1}')) throw new Error(stdout);
        await world.expectCapped({ label: "dramatiq-order/p1", eachCents: CENTS, admitted: 2, refused: 1 });
        await world.expectRevoked("dramatiq-order/p1");
      },
    },
  ],
};
