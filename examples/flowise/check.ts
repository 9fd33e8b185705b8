import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { runFunctionBody } from "../../scripts/integrations/function-body.ts";
import type { World } from "../../scripts/integrations/world.ts";

const call = (world: World, file: string, sessionId: string, customers: readonly string[] = [""]) => {
  const $vars = { KEYBRAKE_URL: world.env["KEYBRAKE_URL"], KEYBRAKE_API_KEY: world.env["KEYBRAKE_API_KEY"] };
  const calls = customers.map(($customer) => ({ $vars, $flow: { sessionId }, $customer, $cents: 2999 }));
  return runFunctionBody(world, file, calls);
};

export const check: IntegrationCheck = {
  stack: "Flowise",
  page: "flowise",
  ran: "requests",
  how: "by the tool's own text, on Node",
  install: async (tools) => tools.says(["node", "--version"]),
  version: async (tools) => `Custom Tool, on Node ${await tools.says(["node", "--version"])}`,
  scenarios: [
    {
      title: "a model that calls the tool again and again is stopped at exactly its conversation's cap, and told so",
      run: async (world) => {
        const customers = Array.from({ length: 7 }, (_, index) => `cus_${index}`);
        const told = await call(world, "charge.txt", "s1", customers);
        if (!String(told[5]).includes("Do not call this tool again")) throw new Error(JSON.stringify(told));
        await call(world, "end.txt", "s1");
        await world.expectCapped({ label: "flowise/s1", eachCents: 2999, admitted: 5, refused: 2 });
        await world.expectRevoked("flowise/s1");
      },
    },
    {
      title: "a model that charges a customer twice charges once, and one conversation has one key",
      run: async (world) => {
        await call(world, "charge.txt", "s2", ["cus_1", "cus_1"]);
        world.expectCharged(1, 2999);
        const { length } = await world.keys("flowise/s2");
        if (length !== 1) throw new Error(`${length} keys were issued`);
        await call(world, "end.txt", "s2");
        await world.expectRevoked("flowise/s2");
      },
    },
  ],
};
