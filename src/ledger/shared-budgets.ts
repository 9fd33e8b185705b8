import type { CurrencyRates } from "../core/currency.ts";
import { PrefixIndex } from "../core/prefix-index.ts";
import type { SharedBudget } from "../policy/budget.ts";
import { type Budget, inCurrency } from "./budget.ts";

/** A budget, and which member of its family; undefined where it is no family. */
interface Matched {
  readonly budget: SharedBudget;
  readonly member: string | undefined;
}

/** The budgets whose prefix has the same head. */
interface Group {
  readonly plain: SharedBudget[];
  /** Families by the character that ends a member's value, and then by their tail. */
  readonly families: Map<string, PrefixIndex<SharedBudget[]>>;
}

interface LabelIndex {
  readonly all: SharedBudget[];
  readonly groups: PrefixIndex<Group>;
}

/**
 * The budgets above keys, indexed by vendor and label: what does not match a call is not looked at for it. Immutable: another
 * version of the file is another object.
 */
export class SharedBudgets {
  readonly #places = new Map<SharedBudget, number>();
  readonly #byVendor = new Map<string | undefined, LabelIndex>();
  readonly #rates: CurrencyRates;

  /** @param rates by which caps in other currencies are counted in dollars. */
  constructor(budgets: readonly SharedBudget[], rates: CurrencyRates) {
    this.#rates = rates;
    for (const [place, budget] of budgets.entries()) {
      this.#places.set(budget, place);
      this.#add(budget);
    }
  }

  /** What a call to `vendor` under `label` is charged to beside its key's own caps, in the order of the file. */
  of(vendor: string, label: string | null): readonly Budget[] {
    const matched: Matched[] = [];
    for (const name of [vendor, undefined]) {
      const index = this.#byVendor.get(name);
      if (index) collect(index, label, matched);
    }
    matched.sort((a, b) => this.#places.get(a.budget)! - this.#places.get(b.budget)!);
    return matched.flatMap(({ budget, member }) => sharedCaps(budget, member, this.#rates));
  }

  #add(budget: SharedBudget): void {
    const { vendor, labelPrefix } = budget.match;
    const index = this.#byVendor.get(vendor) ?? { all: [], groups: new PrefixIndex<Group>() };
    this.#byVendor.set(vendor, index);
    if (!labelPrefix) {
      index.all.push(budget);
      return;
    }
    const { head, tail } = labelPrefix;
    const group = index.groups.at(head, () => ({ plain: [], families: new Map() }));
    if (tail === undefined) {
      group.plain.push(budget);
      return;
    }
    const tails = group.families.get(tail[0]!) ?? new PrefixIndex<SharedBudget[]>();
    group.families.set(tail[0]!, tails);
    tails.at(tail, () => []).push(budget);
  }
}

function collect({ all, groups }: LabelIndex, label: string | null, matched: Matched[]): void {
  for (const budget of all) matched.push({ budget, member: undefined });
  if (label === null) return;
  for (const { prefix: head, value: group } of groups.within(label)) {
    for (const budget of group.plain) matched.push({ budget, member: undefined });
    for (const [separator, tails] of group.families) {
      const end = label.indexOf(separator, head.length);
      if (end < 0) continue;
      // An empty value is a member too: a label like `tenant::x` must not be one that nothing caps.
      const member = label.slice(head.length, end);
      for (const { value } of tails.within(label.slice(end))) {
        for (const budget of value) matched.push({ budget, member });
      }
    }
  }
}

/**
 * The caps of one budget, each with its counter: `budget:platform:daily_usd_cap`, `budget:per-tenant:acme:daily_usd_cap`.
 * Only what has a cap is counted, from when it is there. Of caps on the same counter the tighter one is given.
 */
export function sharedCaps(budget: SharedBudget, member: string | undefined, rates: CurrencyRates): readonly Budget[] {
  const { name: own, match } = budget;
  // Percent-encoded: a `:` in a value must not make it the counter of another, and the name goes into headers.
  const name = member === undefined ? own : `${own}:${encodeURIComponent(member)}`;
  const cap = (field: string, unit: Budget["unit"], most: bigint | undefined, window: Budget["window"]): Budget => ({
    id: `${SHARED_PREFIX}${name}:${field}`,
    name,
    rule: `budgets.${own}.${field}`,
    unit,
    cap: most ?? 0n,
    window,
    ...(match.kind === undefined ? {} : { kind: match.kind }),
  });
  const { dailyCapMicros, totalCapMicros, dailySendCap } = budget;
  const daily = cap("daily_usd_cap", "usd", dailyCapMicros, "utc_day");
  const total = cap("total_usd_cap", "usd", totalCapMicros, "lifetime");
  const sends = cap("daily_send_cap", "sends", dailySendCap, "utc_day");
  return [
    ...tighter([...(dailyCapMicros === undefined ? [] : [daily]), ...inCurrency(daily, name, budget.dailyCap, rates)]),
    ...tighter([...(totalCapMicros === undefined ? [] : [total]), ...inCurrency(total, name, budget.totalCap, rates)]),
    ...(dailySendCap === undefined ? [] : [sends]),
  ];
}

/** What the ids of these counters begin with; a key's own begin with `key:`. */
export const SHARED_PREFIX = "budget:";

/** The member that a counter of the family `name` belongs to; undefined for a counter of anything else. */
export function memberOf(counterId: string, name: string): string | undefined {
  const [, own, value, field] = counterId.split(":");
  return own === name && field !== undefined && value !== undefined ? decodeURIComponent(value) : undefined;
}

function tighter(caps: readonly Budget[]): readonly Budget[] {
  return caps.length < 2 ? caps : [caps.reduce((least, cap) => (cap.cap < least.cap ? cap : least))];
}
