import type { Currency } from "../core/currency.ts";
import type { Micros } from "../core/money.ts";
import type { Route } from "../core/route.ts";
import type { CapWindow } from "../core/window.ts";
import type { CappedKind } from "../vendors/vendor.ts";

/**
 * A policy as it is written, stored with its key and shown: the field names of the YAML templates and the API, amounts
 * as decimal strings of dollars, durations as they were given. `schema.ts` declares and validates it.
 */
export type PolicyDocument = PolicyFields & {
  /** Where the key is for one vendor. */
  readonly vendor?: string;
  /** Where it is for several: each vendor's own fields. */
  readonly vendors?: Readonly<Record<string, PolicyFields>>;
};

/** Some of a policy's fields, canonical; what a request gives beside a template. */
export type PolicyFields = Readonly<Record<string, unknown>>;

/** A rule about one request parameter, named as the vendor spells it (`metadata[order_id]`). */
export interface ParameterRule {
  readonly name: string;
  readonly required: boolean;
  readonly forbidden: boolean;
  readonly in?: ReadonlySet<string>;
  readonly notIn?: ReadonlySet<string>;
  readonly min?: bigint;
  readonly max?: bigint;
  /** Anchored at both ends. */
  readonly matches?: RegExp;
  readonly prefixIn?: readonly string[];
}

/** A cap in a currency; what it is in dollars depends on the rate in force when it is used. */
export interface CurrencyCap {
  /** Millionths of the currency's unit: 500 euros are 500_000_000n. */
  readonly amountMicros: bigint;
  readonly currency: Currency;
}

/** The caps of one kind of money; 0 lets nothing of that kind through. */
export interface KindCap {
  readonly kind: CappedKind;
  readonly dailyMicros: Micros | undefined;
  readonly totalMicros: Micros | undefined;
}

/** What a key for several vendors counts of a call beside what its vendor's part counts. */
export interface JointCaps {
  /** Over the calls of all vendors. */
  readonly dailyMicros: Micros | undefined;
  readonly totalMicros: Micros | undefined;
  readonly maxWriteOperations: bigint | undefined;
  readonly requestsPerMinute: bigint | undefined;
  readonly requestsPerHour: bigint | undefined;
  /** This vendor's own in `per_vendor_daily_caps`; holds beside its `daily_usd_cap`. */
  readonly vendorDailyMicros: Micros | undefined;
}

/** A policy made ready to judge the calls to one vendor with. */
export interface CompiledPolicy {
  readonly vendor: string;
  /** Set where the key is for several vendors, of which this is one. */
  readonly joint?: JointCaps;
  readonly allowed: readonly Route[];
  readonly denied: readonly Route[];
  readonly capWindow: CapWindow;
  readonly dailyCapMicros: Micros | undefined;
  readonly totalCapMicros: Micros | undefined;
  /** Beside `dailyCapMicros` and `totalCapMicros`: where both are given, both hold. */
  readonly dailyCap: CurrencyCap | undefined;
  readonly totalCap: CurrencyCap | undefined;
  /** In the order of `CAPPED_KINDS`. */
  readonly kindCaps: readonly KindCap[];
  readonly maxPerCallMicros: Micros | undefined;
  /** What a call of unknown cost is held at; 0 where it is let in uncounted, undefined where it is refused. */
  readonly unknownCostMicros: Micros | undefined;
  readonly dailySendCap: bigint | undefined;
  /** Calls that are no reads, over the key's whole life. */
  readonly maxWriteOperations: bigint | undefined;
  readonly requestsPerMinute: bigint | undefined;
  readonly requestsPerHour: bigint | undefined;
  /** Whether a repeat with the same Idempotency-Key is answered from the record or sent on. */
  readonly idempotency: "replay" | "forward";
  /** For how long the same call is not sent again; undefined where it is. */
  readonly dedupWindowMs: number | undefined;
  readonly currencies: ReadonlySet<Currency>;
  readonly parameters: readonly ParameterRule[];
  readonly customers: ReadonlySet<string> | undefined;
  /** Accounts within the vendor that may be named beside the configured one (Stripe Connect, Twilio sub-accounts). */
  readonly merchants: ReadonlySet<string>;
  readonly toPrefixes: readonly string[] | undefined;
  readonly fromNumbers: ReadonlySet<string> | undefined;
  /** Lower-case. */
  readonly fromDomains: ReadonlySet<string> | undefined;
  readonly toDomains: ReadonlySet<string> | undefined;
}
