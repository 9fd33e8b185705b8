import type { JsonValue } from "../core/call.ts";
import type { Delivery } from "./failure.ts";

/** A request as it came over the wire, before a sandbox vendor has judged anything in it. */
export interface SandboxRequest {
  readonly method: string;
  /** Raw, not percent-decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface SandboxAnswer {
  readonly status: number;
  /** Absent for 204. */
  readonly json?: JsonValue;
  readonly headers?: Readonly<Record<string, string>>;
  /** How the answer travels; promptly where absent. */
  readonly delivery?: Delivery;
}

/** What the listener needs from a vendor. */
export interface SandboxVendor {
  /** Does the work and answers; a `Refusal` is turned into its answer before it gets out. */
  answer(request: SandboxRequest): SandboxAnswer;
  /** An answer in the vendor's error shape that is not about the request's meaning: 413, 429, 500. */
  fault(status: number, message: string): SandboxAnswer;
}

/** Thrown by a vendor's operation to answer with an error at once; work done before it was thrown stays done. */
export class Refusal extends Error {
  readonly answer: SandboxAnswer;

  constructor(answer: SandboxAnswer) {
    super(`sandbox answers ${answer.status}`);
    this.name = "Refusal";
    this.answer = answer;
  }
}

/** Runs `work`; the answer of a `Refusal` is an answer like any other. Anything else that is thrown is a defect. */
export function answerOf(work: () => SandboxAnswer): SandboxAnswer {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}
