import type { SandboxAnswer, SandboxVendor } from "./exchange.ts";

/**
 * Failures that a caller asks for, by a word in the request itself, so that they are the same on every run:
 * Stripe `metadata[sandbox]=WORD` on any POST; Twilio a `Body` (or a call's `Twiml`) that starts with `sandbox:WORD`;
 * Resend a `subject` that starts with `sandbox:WORD`. Any other word is ordinary data.
 *
 * | word | what happens | is the work done? |
 * | --- | --- | --- |
 * | `error_500` | 500 in the vendor's shape | no |
 * | `error_429` | 429 in the vendor's shape | no |
 * | `slow` | the answer comes late (3 s) | yes |
 * | `timeout` | no answer, ever; the socket stays open until the client leaves | yes |
 * | `reset` | the socket is destroyed after the request was read | yes |
 *
 * The work of the last three is done, because that is the dangerous case: the client saw an error and the money moved.
 * A request that the vendor would refuse anyway is refused at once.
 */
export const FAILURES = ["error_500", "error_429", "slow", "timeout", "reset"] as const;
export type Failure = (typeof FAILURES)[number];

/** The failures that are about the way back; the others are answers. */
export type Delivery = Extract<Failure, "slow" | "timeout" | "reset">;

const PREFIX = "sandbox:";

/** The failure with the name `word`. */
export function failureNamed(word: string | undefined): Failure | undefined {
  return FAILURES.find((failure) => failure === word);
}

/** The failure in `sandbox:WORD` at the start of `text`; more text may follow after a space. */
export function failureIn(text: string | undefined): Failure | undefined {
  if (!text?.startsWith(PREFIX)) return undefined;
  return failureNamed(text.slice(PREFIX.length).split(/\s/, 1)[0]);
}

/** Does `work`, or fails in the way that was asked for. */
export function perform(
  failure: Failure | undefined,
  fault: SandboxVendor["fault"],
  work: () => SandboxAnswer,
): SandboxAnswer {
  if (failure === "error_500") return fault(500, "The sandbox was asked for error_500: nothing was done.");
  if (failure === "error_429") return fault(429, "The sandbox was asked for error_429: nothing was done.");
  const answer = work();
  return failure === undefined ? answer : { ...answer, delivery: failure };
}
