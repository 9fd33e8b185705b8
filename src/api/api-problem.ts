import { Problem, type ProblemCode } from "../core/problem.ts";

/** What is HTTP's own to say, beside the codes of `Problem`. */
export type ApiCode = ProblemCode | "unauthenticated" | "internal";

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
    super(apiCode === "unauthenticated" ? "forbidden" : apiCode, message, hint);
    this.status = status;
    this.apiCode = apiCode;
    this.headers = headers;
  }
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
