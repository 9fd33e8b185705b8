import type { CurrencyRates } from "../../core/currency.ts";
import { formatUsd, MICROS_MAX, type Micros } from "../../core/money.ts";
import type { EpochMs } from "../../core/window.ts";
import { compilePolicies } from "../../policy/compile.ts";
import type { PolicyDocument } from "../../policy/policy.ts";
import { vendorPath } from "../../policy/vendor-policies.ts";
import { CAPPED_KINDS, type Operation, type Vendor } from "../../vendors/vendor.ts";
import { endpointOfRow } from "./endpoint-of-row.ts";
import type { RecordedRow } from "./recorded-calls.ts";
import { RecordedLedger } from "./recorded-ledger.ts";
import { operationOfRow } from "./recorded-rules.ts";

/** The most that there was of something, and when. */
export interface Peak {
  readonly amount: bigint;
  readonly at: EpochMs;
  readonly endpoint: string;
}

/** A longer list is no longer the run's customers but everybody's. */
export const CUSTOMERS_MAX = 20;
const CUSTOMER_ID = /^[A-Za-z0-9_.:@+-]{1,200}$/;

/** What a run did at one vendor, call by call, as far as a policy can be made to allow exactly that. */
export class RunFacts {
  calls = 0;
  firstAt = Number.POSITIVE_INFINITY;
  lastAt = 0;
  /** Sent calls by endpoint, and those that no template without `**` can allow, with the reason. */
  readonly endpoints = new Map<string, number>();
  readonly leftOut = new Map<string, { calls: number; readonly why: string }>();
  readonly refused = new Map<string, number>();
  /** Calls of unknown outcome, with what they may have cost. */
  readonly unknown = new Map<string, Micros>();
  /** From a key's first call to the end of its last. */
  readonly lives = new Map<string, { readonly from: EpochMs; to: EpochMs }>();
  dearest: Peak | undefined;
  /** By the name of the cap, without its vendor: what stood on a key's counter at the most. */
  readonly peaks = new Map<string, Peak>();
  /** Undefined where a rule on customers would have refused something, or would have to name too many. */
  customers: Set<string> | undefined = new Set();
  readonly #vendor: Vendor;
  readonly #ledger: RecordedLedger;
  readonly #leftOutCalls = new Set<string>();

  /** @param ledger counts the calls to all vendors that facts are gathered of. */
  constructor(vendor: Vendor, ledger: RecordedLedger) {
    this.#vendor = vendor;
    this.#ledger = ledger;
  }

  get vendor(): string {
    return this.#vendor.name;
  }

  add(row: RecordedRow): void {
    const operation = operationOfRow(this.#vendor, row);
    if (row.refersTo !== null) {
      this.unknown.delete(row.refersTo);
      if (!this.#leftOutCalls.has(row.refersTo)) this.#ledger.correct(row, operation.kind);
      return;
    }
    if (row.state === "refused") {
      this.refused.set(row.policyVerdict, (this.refused.get(row.policyVerdict) ?? 0) + 1);
      return;
    }
    this.#live(row);
    const endpoint = endpointOfRow(operation, row);
    if (endpoint.ok) this.#sent(row, operation, endpoint.text);
    else this.#leaveOut(row, endpoint.why);
  }

  /** The kinds of money that were moved or may have been. */
  kinds(): readonly string[] {
    return CAPPED_KINDS.filter((kind) => this.peaks.has(kindCap(kind)));
  }

  #live({ vaultKeyId, calledAt, finishedAt }: RecordedRow): void {
    const end = Math.max(calledAt, finishedAt ?? calledAt);
    const life = this.lives.get(vaultKeyId);
    if (life) life.to = Math.max(life.to, end);
    else this.lives.set(vaultKeyId, { from: calledAt, to: end });
    this.firstAt = Math.min(this.firstAt, calledAt);
    this.lastAt = Math.max(this.lastAt, end);
  }

  #leaveOut({ id, method, endpoint }: RecordedRow, why: string): void {
    const line = `${method} ${endpoint}`;
    const known = this.leftOut.get(line) ?? { calls: 0, why };
    known.calls += 1;
    this.leftOut.set(line, known);
    this.#leftOutCalls.add(id);
  }

  #sent(row: RecordedRow, operation: Operation, endpoint: string): void {
    this.calls += 1;
    this.endpoints.set(endpoint, (this.endpoints.get(endpoint) ?? 0) + 1);
    if (row.state === "held" || row.state === "unresolved") this.unknown.set(row.id, row.exposureMicros);
    this.#concerns(row.customerScopeId, operation);
    const peak = (amount: bigint): Peak => ({ amount, at: row.calledAt, endpoint });
    if (row.exposureMicros > (this.dearest?.amount ?? 0n)) this.dearest = peak(row.exposureMicros);
    const decision = this.#ledger.hold(row, operation.kind);
    for (const charge of decision.admitted ? decision.charges : []) {
      const counter = charge.budgetId.slice(`key:${row.vaultKeyId}:`.length);
      const own = vendorPath(this.vendor);
      const name = counter.startsWith(own) ? counter.slice(own.length) : counter;
      const used = this.#ledger.used(charge);
      if (charge.amount > 0n && used > (this.peaks.get(name)?.amount ?? 0n)) this.peaks.set(name, peak(used));
    }
  }

  #concerns(customer: string | null, { class: is }: Operation): void {
    if (customer === null) {
      if (is === "priced" || is === "look_up") this.customers = undefined;
    } else if (CUSTOMER_ID.test(customer)) this.customers?.add(customer);
    else this.customers = undefined;
    if ((this.customers?.size ?? 0) > CUSTOMERS_MAX) this.customers = undefined;
  }
}

/** The cap on a kind of money in a UTC day, as a rule is called. */
export function kindCap(kind: string): string {
  return `caps.${kind}.daily_usd`;
}

const SENDS_MAX = 999_999_999_999_999;

/** A ledger that counts everything there is to count of calls to these vendors, and stops nothing. */
export function countingLedger(vendors: readonly string[], rates: CurrencyRates): RecordedLedger {
  const most = formatUsd(MICROS_MAX);
  const counters = {
    daily_usd_cap: most,
    daily_send_cap: SENDS_MAX,
    caps: Object.fromEntries(CAPPED_KINDS.map((kind) => [kind, { daily_usd: most }])),
  };
  const [only, ...others] = vendors;
  const document: PolicyDocument =
    others.length === 0
      ? { vendor: only!, ...counters }
      : { vendors: Object.fromEntries(vendors.map((vendor) => [vendor, counters])), daily_usd_cap_total: most };
  return new RecordedLedger(compilePolicies(document), rates);
}
