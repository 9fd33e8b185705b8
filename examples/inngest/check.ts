import { expectSame } from "../../scripts/integrations/books.ts";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { serveOn } from "../../scripts/integrations/http-app.ts";
import { startInngestRun } from "../../scripts/integrations/inngest-double.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CENTS = 2000;

export const check: IntegrationCheck = {
  stack: "Inngest",
  page: "inngest",
  ran: "requests",
  how: "to the functions behind its SDK's own handler, by a double of its engine that repeats what the handler does not call final",
  install: (tools) => tools.npm(),
  version: (tools) =>
    tools.says(["node", "-p", "JSON.parse(require('fs').readFileSync('node_modules/inngest/package.json')).version"]),
  scenarios: [
    {
      title: "steps that run at once are stopped at exactly the run's cap, and none is tried again for it",
      run: async (world) => {
        const bill = startInngestRun(await serve(world), "shop-bill", orderOf("41", 12, 100));
        const told = await bill.finish();
        const label = "inngest-billing/41";
        await world.expectCapped({ label, eachCents: CENTS, admitted: 5, refused: 7 });
        expectSame("the function's answer", told, { label, charged: 5, failed: ["stopped by daily_usd_cap"] });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a 503 of Stripe's is tried again by the engine and charged once",
      run: async (world) => {
        world.stripe.failNext(2);
        const bill = startInngestRun(await serve(world), "shop-bill", orderOf("42", 3, 100));
        const told = await bill.finish();
        const label = "inngest-billing/42";
        expectSame("the function's answer", told, { label, charged: 3, failed: [] });
        expectSame("tries", world.stripe.calls.length, 5);
        world.expectCharged(3, 3 * CENTS);
        await world.expectRevoked(label);
      },
    },
    {
      title: "a run that is cancelled is revoked: a step that is still asked for charges nothing",
      run: async (world) => {
        const url = await serve(world);
        const asked = orderOf("43", 3, 100);
        const bill = startInngestRun(url, "shop-bill", asked);
        expectSame("steps before the key is there", await bill.next(), []);
        const [first = "", second = ""] = await bill.next();
        await bill.tryStep(first);
        world.expectCharged(1, CENTS);
        const data = {
          function_id: "shop-bill",
          event: asked,
          error: { name: "Error", message: "function cancelled" },
        };
        await startInngestRun(url, "shop-end-cancelled", { name: "inngest/function.cancelled", data }).finish();
        await world.expectRevoked("inngest-billing/43");
        await bill.tryStep(second);
        world.expectCharged(1, CENTS);
      },
    },
  ],
};

/** The example's server, which knows of no Inngest. Returns the address of its handler. */
async function serve(world: World): Promise<string> {
  const command = ["env", "INNGEST_DEV=1", "node_modules/.bin/tsx", "server.ts"];
  return `${await serveOn(world, () => command)}/api/inngest`;
}

function orderOf(run: string, customers: number, budgetUsd: number): object {
  const data = { run, customers: Array.from({ length: customers }, (_, at) => `cus_${at}`), cents: CENTS, budgetUsd };
  return { name: "billing/run.asked", data };
}
