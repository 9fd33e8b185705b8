/**
 * An error meant for a person: what is wrong, and what to do next. Everything else that is thrown is a defect and is
 * logged, never shown to a client.
 */
export class Problem extends Error {
  readonly hint: string | undefined;
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string, hint?: string) {
    super(message);
    this.name = "Problem";
    this.code = code;
    this.hint = hint;
  }
}

/** `invalid`: the input; `not_found`; `conflict`; `forbidden`; `unavailable`: the store or a file; `usage`: the command line. */
export type ProblemCode = "invalid" | "not_found" | "conflict" | "forbidden" | "unavailable" | "usage";
