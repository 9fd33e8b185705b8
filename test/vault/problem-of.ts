import { Problem } from "../../src/core/problem.ts";

/** The Problem that `action` throws; anything else that it throws, or nothing, fails the test. */
export function problemOf(action: () => unknown): Problem {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
