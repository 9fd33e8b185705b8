import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CHARGE_CENTS = 2999;
/** Dagster takes a while to come up on a busy machine. */
const TIMEOUT_MS = 600_000;

/** The example's ops in a job of somebody who has all of them retried. */
const JOB_WITH_POLICY = `
import dagster as dg
from billing import RunKey, charge, invoices

@dg.job(
    executor_def=dg.in_process_executor,
    resource_defs={"run_key": RunKey.configure_at_launch()},
    op_retry_policy=dg.RetryPolicy(max_retries=2),
)
def billing() -> None:
    invoices().map(charge)
`;

/** The command of a run with this many customers, and where its instance is: a folder that goes with the scenario. */
function billing(
  world: World,
  customers: number,
  file = "billing.py",
): [string[], { env: Record<string, string>; timeoutMs: number }] {
  const config = join(world.env["HOME"]!, "run.json");
  const resources = { run_key: { config: { budget_usd: 150 } } };
  writeFileSync(config, JSON.stringify({ resources, ops: { invoices: { config: { customers } } } }));
  const command = [world.bin("dagster"), "job", "execute", "-f", file, "-j", "billing", "-c", config];
  return [command, { env: { DAGSTER_HOME: world.env["HOME"]!, PYTHONPATH: world.folder }, timeoutMs: TIMEOUT_MS }];
}

export const check: IntegrationCheck = {
  stack: "Dagster",
  page: "dagster",
  ran: "runtime",
  how: "dagster job execute",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", "import dagster; print(dagster.__version__)"]),
  scenarios: [
    {
      title: "a job's dynamic fan-out is stopped at exactly its cap, and no refused charge is asked for again",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { code, stdout, stderr } = await world.exec(...billing(world, 12));
        if (code === 0 || !`${stdout}${stderr}`.includes("STEP_FAILURE")) throw new Error(`${code}: ${stderr}`);
        const label = await world.onlyLabel();
        await world.expectCapped({ label, eachCents: CHARGE_CENTS, admitted: 5, refused: 7 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "Failure(allow_retries=False) is not retried, in a job whose policy retries every other failure",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const file = join(world.env["HOME"]!, "with_policy.py");
        writeFileSync(file, JOB_WITH_POLICY);
        const { code, stderr } = await world.exec(...billing(world, 7, file));
        if (code === 0) throw new Error(stderr);
        const label = await world.onlyLabel();
        await world.expectCapped({ label, eachCents: CHARGE_CENTS, admitted: 5, refused: 2 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a 503 of the vendor is retried by Dagster, and charges once",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        world.stripe.failNext(2);
        await world.succeeds(...billing(world, 3));
        world.expectCharged(3, 3 * CHARGE_CENTS);
        if (world.stripe.calls.length !== 5) throw new Error(`${world.stripe.calls.length} requests, and not 3 and 2`);
        await world.expectRevoked(await world.onlyLabel());
      },
    },
    {
      title: "a run that is interrupted revokes the key",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const resume = world.stripe.pause();
        const [command, { env }] = billing(world, 3);
        const run = world.start(command, { env });
        await world.until("a charge on its way", () => world.stripe.calls.length === 1, TIMEOUT_MS);
        await run.kill("SIGINT");
        resume();
        await world.expectRevoked(await world.onlyLabel());
      },
    },
  ],
};
