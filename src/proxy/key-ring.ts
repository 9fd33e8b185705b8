import type { CurrencyRates } from "../core/currency.ts";
import { type Budget, keyCounters } from "../ledger/budget.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { CompiledPolicy } from "../policy/policy.ts";
import type { Store, VaultKeyRecord } from "../store/store.ts";

/** A vault key with its policy made ready. Never its state: whether it is revoked or expired is read with every hold. */
export interface RingKey {
  readonly id: string;
  readonly tokenHash: Uint8Array;
  readonly version: number;
  readonly vendor: string;
  readonly label: string | null;
  readonly agentName: string | null;
  readonly policy: CompiledPolicy;
  readonly budgets: readonly Budget[];
  /** JSON object, or null where there is none. */
  readonly metadata: string | null;
}

const KEYS_MAX = 20_000;

/** Compiled policies by token hash. An entry of an older version is found out by the ledger, which then asks for a reload. */
export class KeyRing {
  readonly #store: Store;
  readonly #rates: CurrencyRates;
  readonly #keys = new Map<string, RingKey>();

  /** @param rates by which caps in other currencies are counted in dollars. */
  constructor(store: Store, rates: CurrencyRates) {
    this.#store = store;
    this.#rates = rates;
  }

  /** The key with this token hash, or undefined where there is none. */
  async find(tokenHash: Uint8Array): Promise<RingKey | undefined> {
    return this.#keys.get(hashText(tokenHash)) ?? this.reload(tokenHash);
  }

  async reload(tokenHash: Uint8Array): Promise<RingKey | undefined> {
    const record = await this.#store.findKeyByHash(tokenHash);
    if (!record) return undefined;
    const key = ringKey(record, this.#rates);
    if (this.#keys.size >= KEYS_MAX) this.#keys.delete(this.#keys.keys().next().value!);
    this.#keys.set(hashText(tokenHash), key);
    return key;
  }
}

/** Latin-1 is the cheapest one-to-one text of 32 bytes. */
function hashText(tokenHash: Uint8Array): string {
  return Buffer.from(tokenHash.buffer, tokenHash.byteOffset, tokenHash.byteLength).toString("latin1");
}

function ringKey(record: VaultKeyRecord, rates: CurrencyRates): RingKey {
  const policy = compilePolicy(record.policy);
  return {
    id: record.id,
    tokenHash: record.tokenHash,
    version: record.version,
    vendor: record.policy.vendor,
    label: record.label,
    agentName: record.agentName,
    policy,
    budgets: keyCounters(record.id, policy, rates),
    metadata: Object.keys(record.metadata).length === 0 ? null : JSON.stringify(record.metadata),
  };
}
