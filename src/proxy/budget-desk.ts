import type { CurrencyRates } from "../core/currency.ts";
import type { Budget } from "../ledger/budget.ts";
import { SharedBudgets } from "../ledger/shared-budgets.ts";
import type { Log } from "../log.ts";
import type { BudgetSet, LoadedBudgets } from "../policy/budget-set.ts";
import type { RingKey } from "./key-ring.ts";

export interface BudgetDeskOptions {
  readonly set: BudgetSet;
  /** By which caps in other currencies are counted in dollars. */
  readonly rates: CurrencyRates;
  readonly log: Log;
}

/** What calls are charged to: their key's own caps, and the budgets above it as `budgets.yaml` has them now. */
export class BudgetDesk {
  readonly #options: BudgetDeskOptions;
  #loaded: LoadedBudgets;
  #shared: SharedBudgets;
  /** Whether the file has been looked at since the event loop last turned. */
  #looked = false;
  /** Found once per key and vendor, since a key's label never changes; forgotten with the version of the file. */
  #found = new WeakMap<RingKey, Map<string, readonly Budget[]>>();

  /** @throws Problem `invalid` where the file is broken from the beginning. */
  constructor(options: BudgetDeskOptions) {
    this.#options = options;
    this.#loaded = options.set.current();
    this.#shared = new SharedBudgets(this.#loaded.budgets, options.rates);
  }

  /** The counters of a call of `key` to `vendor`, those of the key first. */
  of(key: RingKey, vendor: string): readonly Budget[] {
    this.#look();
    if (this.#loaded.budgets.length === 0) return key.budgets;
    const byVendor = this.#found.get(key) ?? new Map<string, readonly Budget[]>();
    if (byVendor.size === 0) this.#found.set(key, byVendor);
    const found = byVendor.get(vendor);
    if (found) return found;
    const budgets = [...key.budgets, ...this.#shared.of(vendor, key.label)];
    byVendor.set(vendor, budgets);
    return budgets;
  }

  /** Calls that came in together share one look at the file; one that comes later gets its own. */
  #look(): void {
    if (this.#looked) return;
    this.#looked = true;
    setImmediate(() => {
      this.#looked = false;
    });
    const { set, rates, log } = this.#options;
    const now = set.current();
    if (now === this.#loaded) return;
    if (now.problem !== undefined) {
      log.error("budgets_broken", { file: set.path, cause: now.problem, in_use: now.budgets.length });
    }
    if (now.budgets !== this.#loaded.budgets) {
      log.info("budgets_loaded", { file: set.path, count: now.budgets.length });
      this.#shared = new SharedBudgets(now.budgets, rates);
      this.#found = new WeakMap();
    }
    this.#loaded = now;
  }
}
