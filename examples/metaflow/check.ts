import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CHARGE_CENTS = 2999;
/** Metaflow starts a process for each step, which a busy machine takes its time for. */
const TIMEOUT_MS = 900_000;

const billing = (world: World, ...flags: string[]) => [
  ...[world.bin("python"), "billing.py", "--no-pylint", "run", "--max-workers", "4"],
  ...flags,
];

/** Its datastore goes with the scenario. */
const own = (world: World) => ({
  timeoutMs: TIMEOUT_MS,
  env: {
    METAFLOW_DATASTORE_SYSROOT_LOCAL: world.env["HOME"]!,
    METAFLOW_USER: "billing",
    USERNAME: "billing",
  },
});

export const check: IntegrationCheck = {
  stack: "Metaflow",
  page: "metaflow",
  ran: "runtime",
  how: "a local run, each branch a process",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", "import metaflow; print(metaflow.__version__)"]),
  scenarios: [
    {
      title: "a foreach is stopped at exactly its cap, @retry repeats no refused charge, and the exit hook revokes",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        await world.succeeds(billing(world, "--customers", "4", "--budget", "60"), own(world));
        const label = await world.onlyLabel();
        await world.expectCapped({ label, eachCents: CHARGE_CENTS, admitted: 2, refused: 2 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a 503 of the vendor is repeated by @retry, and charges once",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        world.stripe.failNext(1);
        await world.succeeds(billing(world, "--customers", "2"), own(world));
        world.expectCharged(2, 2 * CHARGE_CENTS);
        if (world.stripe.calls.length !== 3) throw new Error(`${world.stripe.calls.length} requests, and not 2 and 1`);
        await world.expectRevoked(await world.onlyLabel());
      },
    },
    {
      title: "a charge that fails for good fails the run, and the exit hook revokes the key",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const error = { type: "card_error", code: "card_declined", message: "The card was declined." };
        world.stripe.failNext(4, { status: 402, body: JSON.stringify({ error }) });
        const { code } = await world.exec(billing(world, "--customers", "1"), own(world));
        if (code === 0) throw new Error("the run did not fail");
        world.expectCharged(0, 0);
        await world.expectRevoked(await world.onlyLabel());
      },
    },
  ],
};
