import { createHash } from "node:crypto";
import { Problem } from "../core/problem.ts";
import { Secret } from "../core/secret.ts";
import type { EpochMs } from "../core/window.ts";
import type { Store } from "../store/store.ts";
import type { MasterKey } from "../vault/master-key.ts";
import { type SecretBinding, seal, unseal } from "../vault/seal.ts";

/** What `Idempotency-Key` says is the same request: who asks, the key, and what is asked for. */
export interface Repeatable {
  /** The caller's own space of keys: one caller cannot fetch another's answer. */
  readonly scope: string;
  readonly key: string;
  /** The request's body as it was parsed. */
  readonly body: unknown;
}

/**
 * The answers of the last 24 h by their idempotency key. They hold vault keys, so that they are sealed with the master key
 * like the vendors' secrets, and bound to their scope and key.
 */
export class RememberedAnswers {
  readonly #store: Store;
  readonly #masterKey: MasterKey;

  constructor(store: Store, masterKey: MasterKey) {
    this.#store = store;
    this.#masterKey = masterKey;
  }

  /** The answer that was given, or undefined. @throws Problem `conflict` where the same key came with another body. */
  async recall<Answer>(asked: Repeatable, now: EpochMs): Promise<Answer | undefined> {
    const found = await this.#store.recallAnswer(asked.scope, asked.key, now);
    return found && this.#open<Answer>(asked, found.bodyHash, found.sealedAnswer);
  }

  /** Remembers `answer`; an earlier one where another request with the same key was faster. */
  async remember<Answer>(asked: Repeatable, answer: Answer, now: EpochMs): Promise<Answer | undefined> {
    const sealedAnswer = seal(this.#masterKey, new Secret(JSON.stringify(answer)), rememberedBinding(asked));
    const remembered = { bodyHash: bodyHash(asked.body), sealedAnswer };
    const earlier = await this.#store.rememberAnswer(asked.scope, asked.key, remembered, now);
    return earlier && this.#open<Answer>(asked, earlier.bodyHash, earlier.sealedAnswer);
  }

  #open<Answer>(asked: Repeatable, hash: string, sealed: Uint8Array): Answer {
    if (hash !== bodyHash(asked.body)) {
      throw new Problem(
        "conflict",
        "this Idempotency-Key was used with another request in the last 24 hours",
        "send the same request again, or use a new Idempotency-Key",
      );
    }
    return JSON.parse(unseal(this.#masterKey, sealed, rememberedBinding(asked)).reveal()) as Answer;
  }
}

/** What an answer is sealed for; `rewrap` needs it where the master key changes. */
export function rememberedBinding({ scope, key }: Pick<Repeatable, "scope" | "key">): SecretBinding {
  return { vendor: "remembered answer", secretId: `${scope}\n${key}`, version: 1 };
}

/** The order of an object's names says nothing: an SDK may write them in another one when it repeats. */
function bodyHash(body: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(body)))
    .digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, entry]) => [name, sorted(entry)]);
}
