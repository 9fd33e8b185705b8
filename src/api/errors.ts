import { NotFoundError, ParseError, ValidationError } from "elysia";
import { Problem, type ProblemCode } from "../core/problem.ts";
import { LabelInUse } from "../operate/issue-key.ts";
import { type ApiCode, ApiProblem, type FieldProblem, InvalidFields } from "./api-problem.ts";
import { methodsOf } from "./routes.ts";
import { fieldProblems } from "./validation-problems.ts";

const STATUS: Readonly<Record<ProblemCode, number>> = {
  usage: 400,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  invalid: 422,
  unavailable: 503,
};

/** An error as it is sent: a sentence for people, a code for programs, never a cause or a trace. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: {
      readonly code: ApiCode;
      readonly message: string;
      readonly hint?: string;
      /** Every field that is wrong. */
      readonly problems?: readonly FieldProblem[];
      /** The active key that has the label. */
      readonly key_id?: string;
    };
    /** Once more at the top, where many clients look. */
    readonly message: string;
  };
  /** True where the error is none of the caller's: it is to be logged. */
  readonly isDefect: boolean;
}

export function errorAnswer(error: unknown, request: Request): ErrorAnswer {
  if (error instanceof ApiProblem) {
    return answer(error.status, error.apiCode, error.message, withHint(error), error.headers);
  }
  if (error instanceof LabelInUse) {
    return answer(STATUS.conflict, "conflict", error.message, { ...withHint(error), key_id: error.keyId });
  }
  if (error instanceof InvalidFields) return invalid(error);
  if (error instanceof Problem) return answer(STATUS[error.code], error.code, error.message, withHint(error));
  if (error instanceof ValidationError) return invalid(new InvalidFields(fieldProblems(error)));
  if (error instanceof ParseError) {
    return answer(400, "invalid", "the body is not valid JSON", { hint: "check quotes, commas and brackets" });
  }
  if (error instanceof NotFoundError) return noRoute(request);
  const internal = answer(500, "internal", "an internal error; the server's log says more", {});
  return { ...internal, isDefect: true };
}

function noRoute({ method, url }: Request): ErrorAnswer {
  const { pathname } = new URL(url);
  const asked = `${method} ${pathname.slice(0, 100)}`;
  const methods = methodsOf(pathname);
  if (methods.length === 0) {
    return answer(404, "not_found", `there is no route ${asked}`, { hint: "/docs lists the routes" });
  }
  const allow = methods.join(", ");
  const hint = `its methods are ${allow}`;
  return answer(405, "method_not_allowed", `there is no route ${asked}`, { hint }, { allow });
}

function invalid({ message, problems }: InvalidFields): ErrorAnswer {
  return answer(STATUS.invalid, "invalid", message, { problems });
}

function withHint({ hint }: Problem): { hint?: string } {
  return hint === undefined ? {} : { hint };
}

function answer(
  status: number,
  code: ApiCode,
  message: string,
  more: Omit<ErrorAnswer["body"]["error"], "code" | "message">,
  headers: Readonly<Record<string, string>> = {},
): ErrorAnswer {
  return { status, headers, body: { error: { code, message, ...more }, message }, isDefect: false };
}
