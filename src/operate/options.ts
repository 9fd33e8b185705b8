import type { Config, Environment } from "../config.ts";
import type { AlertTarget } from "../core/alert-target.ts";
import type { Clock } from "../core/clock.ts";
import type { HardStop } from "../core/hard-stop.ts";
import type { BudgetSet } from "../policy/budget-set.ts";
import type { TemplateSet } from "../policy/template-set.ts";
import type { Store } from "../store/store.ts";
import type { MasterKey } from "../vault/master-key.ts";
import type { Pricing, Vendor } from "../vendors/vendor.ts";

/** What the local control plane works with. */
export interface ControlPlaneOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly config: Config;
  readonly masterKey: MasterKey;
  /** Hashes the rows of the audit chain, and signs its checkpoints and exports. */
  readonly chainKey: Uint8Array;
  readonly vendors: readonly Vendor[];
  readonly templates: TemplateSet;
  readonly budgets: BudgetSet;
  /** Looked at by `doctor` and `testVendor` for settings under which a secret would leave. */
  readonly environment: Environment;
  /** Called once the stop is in force, for the calls in flight in this process; other servers read it in the store. */
  readonly onHardStop: (stop: HardStop) => void;
  /** Sends the test event to a target, once. */
  readonly tryAlert: (
    target: AlertTarget,
  ) => Promise<{ readonly httpStatus: number | null; readonly problem: string | null }>;
  /** Accounts of vendors that a sandbox stands in for: for the lines that an agent changes. */
  readonly sandboxAccountIds?: ReadonlyMap<string, string>;
}

/** What `vendor` is priced with here. */
export function pricingOf({ config }: ControlPlaneOptions, vendor: string): Pricing {
  return { currencyRates: config.currencyRates, prices: config.prices.get(vendor) ?? new Map() };
}
