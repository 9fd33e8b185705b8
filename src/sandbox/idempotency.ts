import { createHash } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import type { SandboxAnswer, SandboxRequest } from "./exchange.ts";
import { ObjectStore } from "./object-store.ts";

/** Stripe keeps v1 keys for at least 24 h, Resend for 24 h (docs.stripe.com/api/idempotent_requests, resend.com/docs). */
const RETENTION_MS = 24 * 3_600_000;

interface Remembered {
  readonly id: string;
  readonly fingerprint: string;
  readonly answer: SandboxAnswer;
  readonly atMs: number;
}

/** First: nothing is known of the key. Replay: the saved answer. Mismatch: the key was used for another request. */
export type Recollection =
  | { readonly kind: "first" }
  | { readonly kind: "replay"; readonly answer: SandboxAnswer }
  | { readonly kind: "mismatch" };

/** Answers by idempotency key, bounded like every store of the sandbox. */
export class IdempotencyKeys {
  readonly #answers = new ObjectStore<Remembered>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  recall(key: string, request: SandboxRequest): Recollection {
    const known = this.#answers.get(key);
    if (known === undefined || this.#clock.now() - known.atMs >= RETENTION_MS) return { kind: "first" };
    if (known.fingerprint !== fingerprint(request)) return { kind: "mismatch" };
    return { kind: "replay", answer: known.answer };
  }

  /** Saves the answer itself, not the failure of its first delivery: a retry after a lost answer gets it. */
  save(key: string, request: SandboxRequest, answer: SandboxAnswer): void {
    const { delivery: _lost, ...answered } = answer;
    this.#answers.delete(key); // a key used again after its retention is a new one, and the youngest
    this.#answers.put({ id: key, fingerprint: fingerprint(request), answer: answered, atMs: this.#clock.now() });
  }
}

/** SDKs send retries byte for byte, so bytes are compared; a hash, so that big bodies are not kept. */
function fingerprint(request: SandboxRequest): string {
  return createHash("sha256")
    .update(JSON.stringify([request.method, request.path, request.query.toString(), request.body]))
    .digest("base64");
}
