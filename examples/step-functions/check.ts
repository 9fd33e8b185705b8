import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { invokeLambda, LambdaError } from "../../scripts/integrations/lambda-runtime.ts";
import { execute, StateError, type StateMachine } from "../../scripts/integrations/state-machine.ts";
import type { World } from "../../scripts/integrations/world.ts";

const machineIn = (folder: string) =>
  JSON.parse(readFileSync(join(folder, "billing.asl.json"), "utf8")) as StateMachine;

/** Starts an execution. `billing-charge` of the file is `charge` of functions.py, and so on. */
function start(world: World, run: string, count: number): Promise<unknown> {
  const customers = Array.from({ length: count }, (_, index) => `cus_${index}`);
  let invocations = 0;
  return execute(machineIn(world.folder), { run, customers, cents: 2999 }, async (resource, input) => {
    const handler = `functions.${resource.slice(resource.lastIndexOf("-") + 1)}`;
    try {
      return await invokeLambda(world, handler, `req-${invocations++}`, input);
    } catch (error) {
      throw error instanceof LambdaError ? new StateError(error.errorType, error.message) : error;
    }
  });
}

export const check: IntegrationCheck = {
  stack: "Step Functions",
  page: "step-functions",
  ran: "requests",
  how: "by its Lambda functions on AWS's runtime client for Python, called by a reader of the state machine's states, Retry and Catch; the definition is held to asl-validator 4.0.0",
  install: async (tools) => {
    await tools.python();
    await tools.npm();
    await tools.install(["node_modules/.bin/asl-validator", "--json-path", "billing.asl.json"]);
  },
  version: async () => "Amazon States Language",
  scenarios: [
    {
      title: "a Map is stopped at exactly its execution's cap, and Retry does not match the cap hit",
      run: async (world) => {
        const output = (await start(world, "stepfunctions-billing/01", 8)) as { readonly charged: readonly string[] };
        const stopped = output.charged.filter((each) => each === "stopped by the cap").length;
        if (stopped !== 3) throw new Error(`the execution says ${JSON.stringify(output.charged)}`);
        await world.expectCapped({ label: "stepfunctions-billing/01", eachCents: 2999, admitted: 5, refused: 3 });
        await world.expectRevoked("stepfunctions-billing/01");
      },
    },
    {
      title: "a 503 is retried by the state machine's rule and charged once",
      run: async (world) => {
        world.stripe.failNext(1);
        await start(world, "stepfunctions-billing/02", 1);
        world.expectCharged(1, 2999);
        if (world.stripe.calls.length !== 2) throw new Error(`${world.stripe.calls.length} requests, and not 2`);
        await world.expectRevoked("stepfunctions-billing/02");
      },
    },
    {
      title: "an execution that fails revokes its key",
      run: async (world) => {
        const declined = { error: { type: "card_error", code: "card_declined", message: "The card was declined." } };
        world.stripe.failNext(1, { status: 402, headers: {}, body: JSON.stringify(declined) });
        const failed = await start(world, "stepfunctions-billing/03", 1).catch((error: unknown) => error);
        if (!(failed instanceof StateError && failed.message.includes("CardError"))) throw new Error(`${failed}`);
        await world.expectRevoked("stepfunctions-billing/03");
      },
    },
  ],
};
