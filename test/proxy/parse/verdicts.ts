import { expect } from "bun:test";
import type { Parsed, RejectionCode } from "../../../src/proxy/parse/rejection.ts";

/** The value of an accepted input; fails the test with the parser's own sentence otherwise. */
export function accepted<T>(result: Parsed<T>): T {
  if (!result.ok) throw new Error(`refused: ${result.rejection.message}`);
  return result.value;
}

/** Expects a refusal with `code`, in a sentence that is safe to print; gives the sentence. */
export function refusal(result: Parsed<unknown>, code: RejectionCode = "request_rejected"): string {
  if (result.ok) throw new Error(`accepted: ${Bun.inspect(result.value)}`);
  expect(result.rejection.code).toBe(code);
  expect(result.rejection.message).toMatch(/^[A-Z][\x20-\x7e]{10,400}\.$/);
  return result.rejection.message;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
