import type { Scenario } from "./check.ts";

const TIMEOUT_MS = 600_000;

/**
 * An example whose platform cannot run here: `plain.ts RUN CUSTOMERS BUDGET` makes its requests, and repeats what its
 * SDK's error does not call final. `prefix` is before `/` and the run in its keys' labels.
 */
export function plainScenarios(prefix: string): readonly Scenario[] {
  const command = (run: string, budget: string) => ["node_modules/.bin/tsx", "plain.ts", run, "4", budget];
  return [
    {
      title: "a run is stopped at exactly its cap, and a cap hit is thrown as what is not repeated",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { stdout } = await world.succeeds(command("41", "50"), { timeoutMs: TIMEOUT_MS });
        const stopped = "stopped by daily_usd_cap";
        const isTold = Bun.deepEquals(JSON.parse(stdout), { charged: 2, failed: [stopped, stopped] });
        if (!isTold) throw new Error(`it said ${stdout}`);
        const label = `${prefix}/41`;
        await world.expectCapped({ label, eachCents: 2000, admitted: 2, refused: 2 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a 503 of Stripe's is thrown as what is repeated, and charged once",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        world.stripe.failNext(1);
        const { stdout } = await world.succeeds(command("42", "100"), { timeoutMs: TIMEOUT_MS });
        if (!Bun.deepEquals(JSON.parse(stdout), { charged: 4, failed: [] })) throw new Error(`it said ${stdout}`);
        world.expectCharged(4, 8000);
        await world.expectRevoked(`${prefix}/42`);
      },
    },
  ];
}
