import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { invokeLambda } from "../../scripts/integrations/lambda-runtime.ts";
import type { World } from "../../scripts/integrations/world.ts";

interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

const batchOf = (count: number) => ({
  Records: Array.from({ length: count }, (_, index) => ({
    messageId: `m-${index}`,
    body: JSON.stringify({ customer: `cus_${index}`, cents: 2999 }),
  })),
});

const invoke = (world: World, requestId: string, event: unknown) =>
  invokeLambda(world, "handler.handler", requestId, event) as Promise<BatchResponse>;

export const check: IntegrationCheck = {
  stack: "AWS Lambda",
  page: "aws-lambda",
  ran: "runtime",
  how: "the version is that of awslambdaric, AWS's own runtime client for Python; its Runtime API was a server on loopback, AWS's cloud was not",
  install: (tools) => tools.python(),
  version: (tools) =>
    tools.says([tools.bin("python"), "-c", "from importlib.metadata import version; print(version('awslambdaric'))"]),
  scenarios: [
    {
      title: "a batch is stopped at exactly its invocation's cap, and SQS is asked to bring none of it back",
      run: async (world) => {
        const { batchItemFailures } = await invoke(world, "req-1", batchOf(8));
        if (batchItemFailures.length > 0) throw new Error(JSON.stringify(batchItemFailures));
        await world.expectCapped({ label: "lambda-billing/req-1", eachCents: 2999, admitted: 5, refused: 3 });
        await world.expectRevoked("lambda-billing/req-1");
      },
    },
    {
      title: "a message that Stripe could not take is brought back by SQS, and its charge is made once",
      run: async (world) => {
        world.stripe.failNext(1);
        const { batchItemFailures } = await invoke(world, "req-1", batchOf(1));
        if (batchItemFailures[0]?.itemIdentifier !== "m-0") throw new Error(JSON.stringify(batchItemFailures));
        const again = await invoke(world, "req-2", batchOf(1));
        if (again.batchItemFailures.length > 0) throw new Error(JSON.stringify(again));
        world.expectCharged(1, 2999);
        await world.expectRevoked("lambda-billing/req-1");
        await world.expectRevoked("lambda-billing/req-2");
      },
    },
    {
      title: "an invocation that raises revokes its key",
      run: async (world) => {
        const event = { Records: [{ messageId: "m-0", body: "no JSON" }] };
        const failed = await invoke(world, "req-3", event).catch((error: unknown) => error);
        if (!String(failed).includes("JSONDecodeError")) throw new Error(`it did not raise: ${failed}`);
        await world.expectRevoked("lambda-billing/req-3");
      },
    },
  ],
};
