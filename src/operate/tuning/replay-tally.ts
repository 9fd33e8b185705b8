import { formatUsd, type Micros } from "../../core/money.ts";
import type { RefusalCode } from "../../core/verdict.ts";
import type { CallsView } from "../policy-verbs.ts";
import type { RecordedRow } from "./recorded-calls.ts";

/** Why a call would have been refused. */
export interface Refused {
  readonly code: RefusalCode;
  readonly rule: string;
  readonly message: string;
}

class Sum {
  calls = 0;
  micros: Micros = 0n;

  add(micros: Micros): void {
    this.calls += 1;
    this.micros += micros;
  }

  view(): CallsView {
    return { calls: this.calls, usd: formatUsd(this.micros) };
  }
}

/** One rule with the first call that it would have refused. */
interface RuleSum extends Refused {
  readonly sum: Sum;
  readonly first: RecordedRow;
}

/** The sums that a later row of the call belongs to. */
type Counted = readonly Sum[];

/** Endpoints are told apart up to so many: an agent can make up paths without end. */
const ENDPOINTS_MAX = 5_000;
const OTHER_ENDPOINTS = "other endpoints";

/** Adds up what a replay finds; keeps no rows but the first of each rule, and of calls whose cost may yet be corrected. */
export class ReplayTally {
  readonly allowed = new Sum();
  readonly refused = new Sum();
  readonly refusedThen = { calls: 0, would_pass: 0 };
  firstAt: number | undefined;
  lastAt: number | undefined;
  readonly #rules = new Map<string, RuleSum>();
  readonly #endpoints = new Map<string, Sum>();
  /** Refused calls that a later row may be about. */
  readonly #open = new Map<string, Counted>();
  readonly #isForSeveral: boolean;

  /** @param isForSeveral whether endpoints are said with their vendor before them. */
  constructor(isForSeveral: boolean = false) {
    this.#isForSeveral = isForSeveral;
  }

  /** A call that was sent when it was recorded; `mayChange` where a later row may tell its cost. */
  add(row: RecordedRow, refused: Refused | undefined, mayChange: boolean): void {
    this.firstAt ??= row.calledAt;
    this.lastAt = row.calledAt;
    const sums = refused ? this.#refusedSums(row, refused) : [this.allowed];
    for (const sum of sums) sum.add(spent(row));
    if (refused && mayChange) this.#open.set(row.id, sums);
  }

  /** A later row; false where its call would not have been made. */
  correct(row: RecordedRow): boolean {
    const refused = this.#open.get(row.refersTo!);
    for (const sum of refused ?? [this.allowed]) sum.micros += correction(row);
    return refused === undefined;
  }

  rules(): readonly RuleSum[] {
    return [...this.#rules.values()].sort((a, b) => b.sum.calls - a.sum.calls);
  }

  endpoints(limit: number): readonly (CallsView & { readonly endpoint: string })[] {
    return [...this.#endpoints]
      .sort(([, a], [, b]) => b.calls - a.calls)
      .slice(0, limit)
      .map(([endpoint, sum]) => ({ endpoint, ...sum.view() }));
  }

  #refusedSums(row: RecordedRow, refused: Refused): readonly Sum[] {
    const name = `${row.vendor} ${refused.code} ${refused.rule}`;
    const rule = this.#rules.get(name) ?? { ...refused, sum: new Sum(), first: row };
    this.#rules.set(name, rule);
    return [this.refused, rule.sum, this.#endpointSum(`${row.method} ${this.#prefix(row)}${row.endpoint}`)];
  }

  #prefix({ vendor }: RecordedRow): string {
    return this.#isForSeveral ? `/${vendor}` : "";
  }

  #endpointSum(endpoint: string): Sum {
    const isNew = !this.#endpoints.has(endpoint);
    const name = isNew && this.#endpoints.size >= ENDPOINTS_MAX ? OTHER_ENDPOINTS : endpoint;
    const sum = this.#endpoints.get(name) ?? new Sum();
    this.#endpoints.set(name, sum);
    return sum;
  }
}

/** What a call did cost; what it holds where nobody knows. */
function spent({ state, costMicros, exposureMicros }: RecordedRow): Micros {
  return state === "held" || state === "unresolved" ? exposureMicros : (costMicros ?? 0n);
}

/** What a later row changes: a vendor's price is the difference already, a resolution stands in place of the exposure. */
function correction({ costSource, costMicros, exposureMicros }: RecordedRow): Micros {
  return costSource === "reconciled" ? (costMicros ?? 0n) : (costMicros ?? 0n) - exposureMicros;
}
