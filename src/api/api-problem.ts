import { Problem, type ProblemCode } from "../core/problem.ts";

const PROBLEM_CODES = [
  "invalid",
  "not_found",
  "conflict",
  "forbidden",
  "unavailable",
  "usage",
] as const satisfies readonly ProblemCode[];
/** What is HTTP's own to say, beside the codes of `Problem`. */
const HTTP_CODES = [
  "unauthenticated",
  "method_not_allowed",
  "body_too_large",
  "too_many_failures",
  "internal",
] as const;

/** Every `code` of an error. */
export const API_CODES = [...PROBLEM_CODES, ...HTTP_CODES] as const;
export type ApiCode = (typeof API_CODES)[number];

/** A refusal with a status or headers of its own. */
export class ApiProblem extends Problem {
  readonly status: number;
  readonly apiCode: ApiCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    apiCode: Exclude<ApiCode, "internal">,
    message: string,
    hint?: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(isProblemCode(apiCode) ? apiCode : "invalid", message, hint);
    this.status = status;
    this.apiCode = apiCode;
    this.headers = headers;
  }
}

function isProblemCode(code: ApiCode): code is ProblemCode {
  return (PROBLEM_CODES as readonly string[]).includes(code);
}

/** What is wrong with one field of a request. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
  readonly allowed?: string;
  readonly got?: string;
  /** The known name that an unknown one was probably meant to be. */
  readonly nearest?: string;
}

/** Several fields that are wrong, each said for itself. */
export class InvalidFields extends Problem {
  readonly problems: readonly FieldProblem[];

  constructor(problems: readonly FieldProblem[]) {
    super("invalid", problems.map(({ message }) => message).join("; "));
    this.problems = problems;
  }
}
