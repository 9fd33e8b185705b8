import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:billing";
const INVOCATION_MS_MAX = 60_000;

interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

const batchOf = (count: number) => ({
  Records: Array.from({ length: count }, (_, index) => ({
    messageId: `m-${index}`,
    body: JSON.stringify({ customer: `cus_${index}`, cents: 2999 }),
  })),
});

/** Lambda's Runtime API for one invocation: AWS's runtime client asks it for the event, and posts the answer back. */
async function invoke(world: World, requestId: string, event: unknown): Promise<BatchResponse> {
  const answered = Promise.withResolvers<BatchResponse>();
  let asked = 0;
  const api = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname.endsWith("/invocation/next")) {
        if (asked++ > 0) return new Promise<Response>(() => {});
        const headers = {
          // As Lambda says it: with a charset the runtime client would pass bytes on.
          "Content-Type": "application/json",
          "Lambda-Runtime-Aws-Request-Id": requestId,
          "Lambda-Runtime-Deadline-Ms": String(Date.now() + INVOCATION_MS_MAX),
          "Lambda-Runtime-Invoked-Function-Arn": ARN,
        };
        return Response.json(event, { headers });
      }
      const body = await request.text();
      if (pathname.endsWith(`/invocation/${requestId}/response`)) answered.resolve(JSON.parse(body) as BatchResponse);
      else answered.reject(new Error(`${pathname}: ${body}`));
      return new Response(null, { status: 202 });
    },
  });
  const runtime = world.start([world.bin("python"), "-m", "awslambdaric", "handler.handler"], {
    env: { AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${api.port}`, AWS_LAMBDA_FUNCTION_NAME: "billing" },
  });
  const died = runtime.finished.then(({ stderr }) => {
    throw new Error(`the runtime ended: ${stderr}`);
  });
  try {
    return await Promise.race([answered.promise, died]);
  } finally {
    died.catch(() => {});
    await runtime.killAll();
    await api.stop(true);
  }
}

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
