import type { CurrencyRates } from "../core/currency.ts";
import { type Budget, capsOfKey } from "../ledger/budget.ts";
import { compilePolicies } from "../policy/compile.ts";
import type { AlertRow } from "../store/alert-queue.ts";
import type { Store } from "../store/store.ts";

/** The caps above keys that a call to this vendor under this label is charged to, as `budgets.yaml` has them now. */
export type SharedCaps = (vendor: string, label: string | null) => readonly Budget[];

/** A cap that a call was charged to, and whether it is one above keys. */
export interface CapOfCall {
  readonly budget: Budget;
  readonly isShared: boolean;
}

interface CapsSource {
  readonly store: Pick<Store, "getKey">;
  readonly currencyRates: CurrencyRates;
  readonly sharedCaps: SharedCaps;
}

/** The caps of calls, read once for a slice of rows. */
export class CapsOfCalls {
  readonly #source: CapsSource;
  readonly #known = new Map<string, Promise<readonly CapOfCall[]>>();

  constructor(source: CapsSource) {
    this.#source = source;
  }

  of(row: AlertRow): Promise<readonly CapOfCall[]> {
    const name = JSON.stringify([row.vaultKeyId, row.vendor]);
    const known = this.#known.get(name) ?? this.#read(row);
    this.#known.set(name, known);
    return known;
  }

  async #read({ vaultKeyId, vendor, agentRunLabel }: AlertRow): Promise<readonly CapOfCall[]> {
    const { store, currencyRates, sharedCaps } = this.#source;
    const key = await store.getKey(vaultKeyId);
    const own = key ? capsOfKey(key.id, compilePolicies(key.policy).values(), currencyRates) : [];
    return [
      ...own.map((budget) => ({ budget, isShared: false })),
      ...sharedCaps(vendor, agentRunLabel).map((budget) => ({ budget, isShared: true })),
    ];
  }
}
