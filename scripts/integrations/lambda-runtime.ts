import type { World } from "./world.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:billing";
const INVOCATION_MS_MAX = 60_000;

/** What a handler has raised, as Lambda tells its caller. */
export class LambdaError extends Error {
  /** The class of the exception: what Step Functions calls the error's name. */
  readonly errorType: string;

  constructor(told: { readonly errorType: string; readonly errorMessage: string }) {
    super(`${told.errorType}: ${told.errorMessage}`);
    this.errorType = told.errorType;
  }
}

/**
 * One invocation of `handler` (`module.function`) by AWS's own runtime client for Python, which the example has installed.
 * Lambda's Runtime API is a server on loopback: the client asks it for the event, and posts the answer back.
 * @throws LambdaError where the handler raises; Error where the runtime ends.
 */
export async function invokeLambda(world: World, handler: string, requestId: string, event: unknown): Promise<unknown> {
  const answered = Promise.withResolvers<unknown>();
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
      const told = (await request.json()) as never;
      if (pathname.endsWith(`/invocation/${requestId}/response`)) answered.resolve(told);
      else answered.reject(new LambdaError(told));
      return new Response(null, { status: 202 });
    },
  });
  const runtime = world.start([world.bin("python"), "-m", "awslambdaric", handler], {
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
