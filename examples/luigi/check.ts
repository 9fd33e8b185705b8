import { rmSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CHARGE_CENTS = 2999;
/** A busy machine takes its time. */
const TIMEOUT_MS = 600_000;
const SLOWLY = { timeoutMs: TIMEOUT_MS };

/** The command of a run, in a folder without the outputs of earlier ones. */
function billing(world: World, ...flags: string[]): string[] {
  rmSync(join(world.folder, "out"), { recursive: true, force: true });
  return [world.bin("python"), "billing.py", ...flags];
}

export const check: IntegrationCheck = {
  stack: "Luigi",
  page: "luigi",
  ran: "runtime",
  how: "worker processes and the local scheduler",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", "import luigi; print(luigi.__version__)"]),
  scenarios: [
    {
      title: "four worker processes are stopped at exactly the cap, and Luigi tries none of the refused charges again",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { stdout } = await world.succeeds(billing(world, "june", "--customers", "12", "--budget", "150"), SLOWLY);
        const { is_done, refused } = JSON.parse(stdout.trim().split("\n").at(-1)!);
        if (!is_done || refused.length !== 7) throw new Error(`the run says ${stdout}`);
        const label = await world.onlyLabel();
        await world.expectCapped({ label, eachCents: CHARGE_CENTS, admitted: 5, refused: 7 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a 503 of the vendor is tried again by Luigi, and charges once",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        world.stripe.failNext(2);
        await world.succeeds(billing(world, "july", "--customers", "3"), SLOWLY);
        world.expectCharged(3, 3 * CHARGE_CENTS);
        if (world.stripe.calls.length !== 5) throw new Error(`${world.stripe.calls.length} requests, and not 3 and 2`);
        await world.expectRevoked(await world.onlyLabel());
      },
    },
    {
      title: "a run that is started anew charges only whom the cap had refused",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const command = billing(world, "august", "--customers", "6");
        await world.succeeds([...command, "--budget", "90"], SLOWLY);
        world.expectCharged(3, 3 * CHARGE_CENTS);
        await world.succeeds([...command, "--budget", "100"], SLOWLY);
        world.expectCharged(6, 6 * CHARGE_CENTS);
        if (new Set(world.stripe.charges.map(({ customer }) => customer)).size !== 6) throw new Error("charged twice");
      },
    },
    {
      title: "a run that is interrupted revokes the key",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const resume = world.stripe.pause();
        const run = world.start(billing(world, "september", "--customers", "12"));
        await world.until("four charges on their way", () => world.stripe.calls.length === 4, TIMEOUT_MS);
        await run.kill("SIGINT");
        const label = await world.onlyLabel();
        await world.expectRevoked(label);
        resume();
      },
    },
  ],
};
