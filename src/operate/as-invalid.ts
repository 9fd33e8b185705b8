import { Problem } from "../core/problem.ts";

/** A name in a request that stands for nothing is an error of the request, not a page that is missing. */
export function asInvalid<Result>(find: () => Result): Result {
  try {
    return find();
  } catch (cause) {
    if (cause instanceof Problem && cause.code === "not_found") throw new Problem("invalid", cause.message, cause.hint);
    throw cause;
  }
}
