import { Glob } from "bun";
import type { IntegrationCheck, Scenario } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CENTS = 2999;
/** Each scenario starts a Prefect server of its own, which takes a while on a small machine. */
const SLOW = { timeoutMs: 480_000 };

/** Prefect's own settings: nothing of this machine's, no telemetry. */
const prefectOf = (world: World, more: Record<string, string> = {}) => ({
  ...SLOW,
  env: {
    PREFECT_HOME: `${world.env["HOME"]}/prefect`,
    PREFECT_SERVER_ANALYTICS_ENABLED: "false",
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: "300",
    PREFECT_LOGGING_LEVEL: "WARNING",
    ...more,
  },
});

async function lastJson(world: World, command: readonly string[]): Promise<unknown> {
  const { stdout } = await world.succeeds([world.bin("python"), ...command], prefectOf(world));
  return JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
}

function expectAnswer(found: unknown, expected: unknown): void {
  if (!Bun.deepEquals(found, expected)) throw new Error(`${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
}

/** Prefect's database and its logs: whoever reads them must not find a key that works. */
async function expectNoSecretIn(folder: string): Promise<void> {
  for await (const path of new Glob("**/*").scan({ cwd: folder, dot: true, absolute: true })) {
    if (Buffer.from(await Bun.file(path).bytes()).includes("vault_key_")) throw new Error(`a vault key is in ${path}`);
  }
}

const cancellation: Scenario = {
  title: "a flow run that is cancelled has its key revoked by the hook, while its charges are under way",
  ...SLOW,
  run: async (world) => {
    const port = await world.freePort();
    const { env } = prefectOf(world, { PREFECT_API_URL: `http://127.0.0.1:${port}/api` });
    const prefect = (...words: string[]) => world.succeeds([world.bin("prefect"), ...words], { ...SLOW, env });
    world.start([world.bin("prefect"), "server", "start", "--port", `${port}`], { env });
    await world.until(
      "Prefect's server",
      () =>
        fetch(`http://127.0.0.1:${port}/api/health`)
          .then(({ ok }) => ok)
          .catch(() => false),
      SLOW.timeoutMs,
    );
    const serving = world.start([world.bin("python"), "billing.py", "serve"], { env });
    await world.until("the deployment", () => serving.output().includes("billing/nightly"), SLOW.timeoutMs);
    const resume = world.stripe.pause();
    await prefect("deployment", "run", "billing/nightly", "--param", 'customers=["cus_1","cus_2"]');
    await world.until("two calls at the vendor", () => world.stripe.calls.length === 2, SLOW.timeoutMs);
    const label = await world.onlyLabel();
    await prefect("flow-run", "cancel", label.split("/")[1]!);
    const revoked = async () => (await world.keys(label)).every(({ status }) => status === "revoked");
    await world.until("the revoke", revoked, SLOW.timeoutMs);
    resume();
    await world.until("the settlement", () => world.stripe.charges.length === 2);
    await world.expectCapped({ label, eachCents: CENTS, admitted: 2, refused: 0 });
  },
};

export const check: IntegrationCheck = {
  stack: "Prefect",
  page: "prefect",
  ran: "runtime",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", "import prefect; print(prefect.__version__)"]),
  scenarios: [
    {
      title: "the mapped tasks of a flow run are stopped at exactly its cap; Prefect retries a 503, and no cap hit",
      ...SLOW,
      run: async (world) => {
        world.stripe.failNext(1);
        expectAnswer(await lastJson(world, ["billing.py"]), { charged: 5, CapHit: 7 });
        const label = await world.onlyLabel();
        await world.expectCapped({ label, eachCents: CENTS, admitted: 5, refused: 7, otherRows: 2 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "subflows share the cap of their parent, and the key that they are passed is not in Prefect's database",
      ...SLOW,
      run: async (world) => {
        const ends = { north: { charged: 4 }, south: { charged: 1, CapHit: 3 } };
        expectAnswer(await lastJson(world, ["subflows.py", "shared"]), ends);
        const label = await world.onlyLabel();
        await world.expectCapped({ label, eachCents: CENTS, admitted: 5, refused: 3 });
        await world.expectRevoked(label);
        await expectNoSecretIn(`${world.env["HOME"]}/prefect`);
      },
    },
    {
      title: "flow runs with keys of their own are stopped each at its own cap",
      ...SLOW,
      run: async (world) => {
        const ends = { charged: 2, CapHit: 2 };
        expectAnswer(await lastJson(world, ["subflows.py", "independent"]), [ends, ends]);
        world.expectCharged(4, 4 * CENTS);
        const labels = (await world.keys()).map(({ agent_run_label }) => agent_run_label ?? "");
        for (const label of labels) {
          await world.expectAudited({ label, eachCents: CENTS, admitted: 2, refused: 2 });
          await world.expectRevoked(label);
        }
      },
    },
    {
      title: "a charge that is cached is not made again: the next run's cap goes to those that were refused",
      ...SLOW,
      run: async (world) => {
        const [first, second] = (await lastJson(world, ["cached.py"])) as unknown[];
        expectAnswer(first, { charged: 3, CapHit: 3 });
        expectAnswer(second, { charged: 6 });
        world.expectCharged(6, 6 * CENTS);
        const customers = new Set(world.stripe.charges.map(({ customer }) => customer));
        if (customers.size !== 6) throw new Error(`an invoice was charged twice: ${[...customers].join(", ")}`);
        for (const { agent_run_label } of await world.keys()) await world.expectRevoked(agent_run_label ?? "");
      },
    },
    cancellation,
  ],
};
