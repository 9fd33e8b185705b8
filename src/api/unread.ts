import { VERDICTS, type Verdict } from "../core/verdict.ts";
import { ApiProblem } from "./api-problem.ts";
import { errorAnswer } from "./errors.ts";
import { guarded } from "./response-headers.ts";

/** Answers a request whose target or body could not be read, so that it is never taken for one without a body. */
export function unreadAnswer(
  rejection: { readonly code: Verdict; readonly message: string },
  request: Request,
): Response {
  const { status } = VERDICTS[rejection.code];
  const problem =
    rejection.code === "body_too_large"
      ? new ApiProblem(status, "body_too_large", rejection.message, "send less at once")
      : rejection.code === "rate_exceeded"
        ? new ApiProblem(503, "unavailable", rejection.message, undefined, { "retry-after": "1" })
        : new ApiProblem(status, "invalid", rejection.message);
  const { headers, body, status: answered } = errorAnswer(problem, request);
  return guarded(Response.json(body, { status: answered, headers }));
}
