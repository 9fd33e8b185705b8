import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { runFunctionBody } from "../../scripts/integrations/function-body.ts";
import type { World } from "../../scripts/integrations/world.ts";

const step = (world: World, run: string, customers: string) =>
  runFunctionBody(world, "code-step.txt", [
    { inputData: { url: world.env["KEYBRAKE_URL"], token: world.env["KEYBRAKE_API_KEY"], run, customers } },
  ]);

export const check: IntegrationCheck = {
  stack: "Zapier",
  page: "zapier",
  ran: "requests",
  how: "by the Code step's own text, on Node",
  install: async (tools) => tools.says(["node", "--version"]),
  version: async (tools) => `Code step, on Node ${await tools.says(["node", "--version"])}`,
  scenarios: [
    {
      title: "a run is stopped at exactly its cap, ends well, and revokes its key",
      run: async (world) => {
        const [result] = await step(world, "41", "cus_0,cus_1,cus_2,cus_3,cus_4,cus_5,cus_6");
        if (!Bun.deepEquals(result, { charged: 5, stoppedBy: "daily_usd_cap" }))
          throw new Error(JSON.stringify(result));
        await world.expectCapped({ label: "zapier-billing/41", eachCents: 2999, admitted: 5, refused: 1 });
        await world.expectRevoked("zapier-billing/41");
      },
    },
    {
      title: "a run that fails revokes its key",
      run: async (world) => {
        world.stripe.failNext(1);
        const failed = await step(world, "42", "cus_1").catch((error: unknown) => error);
        if (!(failed instanceof Error)) throw new Error("it did not fail");
        await world.expectRevoked("zapier-billing/42");
      },
    },
  ],
};
