import type { IntegrationCheck, Scenario } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CENTS = 2999;
/** A Ray of its own starts for each scenario, which takes a while on a small machine: longer than Ray itself waits for. */
const PATIENT = { RAY_raylet_start_wait_time_s: "300", RAY_gcs_server_request_timeout_seconds: "300" };
const SLOW = { timeoutMs: 600_000, env: PATIENT };

/** A fan-out of twelve on two workers, while the vendor does not answer: two calls are under way when it returns. */
async function twoUnderWay(world: World) {
  const resume = world.stripe.pause();
  const driver = world.start([
    world.bin("python"),
    "fan_out.py",
    "--customers",
    "12",
    "--budget",
    "500",
    "--cpus",
    "2",
  ]);
  await world.until("two calls at the vendor", () => world.stripe.calls.length === 2, SLOW.timeoutMs);
  return { driver, resume, label: await world.onlyLabel() };
}

const cancelled: Scenario = {
  title: "a driver that is interrupted revokes its key: the calls under way end, and no other one begins",
  timeoutMs: SLOW.timeoutMs,
  run: async (world) => {
    const { driver, resume, label } = await twoUnderWay(world);
    const ended = driver.kill("SIGINT");
    await world.until("the revoke", async () => (await world.keys(label))[0]!.status === "revoked");
    resume();
    if ((await ended).code === 0) throw new Error("the driver was interrupted and says that all is well");
    world.expectCharged(2, 2 * CENTS);
  },
};

const revoked: Scenario = {
  title: "a key that an operator revokes stops the tasks that have not called yet, each at its one try",
  timeoutMs: SLOW.timeoutMs,
  run: async (world) => {
    const { driver, resume, label } = await twoUnderWay(world);
    await world.bench.json(["key", "revoke", "--run", label]);
    resume();
    const { code, stdout, stderr } = await driver.finished;
    if (code !== 0) throw new Error(stderr);
    if (!stdout.includes('"charged": 2, "revoked": 10')) throw new Error(stdout);
    world.expectCharged(2, 2 * CENTS);
    await world.expectAudited({ label, eachCents: CENTS, admitted: 2, refused: 0, otherRows: 10 });
  },
};

export const check: IntegrationCheck = {
  stack: "Ray",
  page: "ray",
  ran: "runtime",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", "import ray; print(ray.__version__)"]),
  scenarios: [
    {
      title:
        "a fan-out over workers is stopped at exactly its cap; Ray retries what Stripe cannot answer, and no cap hit",
      timeoutMs: SLOW.timeoutMs,
      run: async (world) => {
        world.stripe.failNext(1);
        await world.succeeds([world.bin("python"), "fan_out.py", "--customers", "12", "--budget", "150"], SLOW);
        const label = await world.onlyLabel();
        // The call that failed once: its first row, and the one of its repeat beside what it has cost.
        await world.expectCapped({ label, eachCents: CENTS, admitted: 5, refused: 7, otherRows: 2 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "each actor is stopped at its own cap, over keys that are renewed while it lives",
      timeoutMs: SLOW.timeoutMs,
      run: async (world) => {
        const often = ["--expires-in", "5m", "--renew-before-s", "600"];
        const size = ["--agents", "2", "--rounds", "4", "--budget-cents", "6000"];
        await world.succeeds([world.bin("python"), "actors.py", ...size, ...often], SLOW);
        world.expectCharged(4, 4 * CENTS);
        const labels = [...new Set((await world.keys()).map((key) => key.agent_run_label ?? ""))];
        if (labels.length !== 2) throw new Error(`two actors were expected: ${labels.join(", ")}`);
        for (const label of labels) {
          await world.expectAudited({ label, eachCents: CENTS, admitted: 2, refused: 1 });
          await world.expectRevoked(label);
        }
      },
    },
    cancelled,
    revoked,
  ],
};
