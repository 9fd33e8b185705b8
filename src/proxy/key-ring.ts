import type { CurrencyRates } from "../core/currency.ts";
import { type Budget, keyCounters } from "../ledger/budget.ts";
import { compilePolicies } from "../policy/compile.ts";
import type { CompiledPolicy } from "../policy/policy.ts";
import type { Store, VaultKeyRecord } from "../store/store.ts";

/**
 * A vault key as its calls to one vendor have it, with the policy for them made ready. Never its state: whether it is revoked
 * or expired is read with every hold.
 */
export interface RingKey {
  readonly id: string;
  readonly tokenHash: Uint8Array;
  readonly version: number;
  readonly vendor: string;
  readonly label: string | null;
  readonly agentName: string | null;
  readonly policy: CompiledPolicy;
  readonly budgets: readonly Budget[];
  /** What stands in the names of its repeats' slots: the vendor of a key for several, whose records stay apart; else nothing. */
  readonly slotScope: string;
  /** JSON object, or null where there is none. */
  readonly metadata: string | null;
}

/** One vault key, once for each of its vendors, in the order of its policy. */
export type RingKeys = readonly [RingKey, ...RingKey[]];

const KEYS_MAX = 20_000;

/** Compiled policies by token hash. An entry of an older version is found out by the ledger, which then asks for a reload. */
export class KeyRing {
  readonly #store: Store;
  readonly #rates: CurrencyRates;
  readonly #keys = new Map<string, RingKeys>();

  /** @param rates by which caps in other currencies are counted in dollars. */
  constructor(store: Store, rates: CurrencyRates) {
    this.#store = store;
    this.#rates = rates;
  }

  /** The key with this token hash, or undefined where there is none. */
  async find(tokenHash: Uint8Array): Promise<RingKeys | undefined> {
    return this.#keys.get(tokenHash.toHex()) ?? this.reload(tokenHash);
  }

  async reload(tokenHash: Uint8Array): Promise<RingKeys | undefined> {
    const record = await this.#store.findKeyByHash(tokenHash);
    if (!record) return undefined;
    const keys = ringKeys(record, this.#rates);
    if (this.#keys.size >= KEYS_MAX) this.#keys.delete(this.#keys.keys().next().value!);
    this.#keys.set(tokenHash.toHex(), keys);
    return keys;
  }
}

function ringKeys(record: VaultKeyRecord, rates: CurrencyRates): RingKeys {
  const policies = [...compilePolicies(record.policy).values()];
  const metadata = Object.keys(record.metadata).length === 0 ? null : JSON.stringify(record.metadata);
  const [first, ...others] = policies.map(
    (policy): RingKey => ({
      id: record.id,
      tokenHash: record.tokenHash,
      version: record.version,
      vendor: policy.vendor,
      label: record.label,
      agentName: record.agentName,
      policy,
      budgets: keyCounters(record.id, policy, rates),
      slotScope: policy.joint ? `${policy.vendor}:` : "",
      metadata,
    }),
  );
  return [first!, ...others];
}
