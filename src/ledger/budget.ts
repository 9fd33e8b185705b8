import type { Currency, CurrencyRates } from "../core/currency.ts";
import { capToMicros } from "../core/currency.ts";
import { type CapWindow, isRolling, ROLLING_WINDOWS_MS, type RollingWindow } from "../core/window.ts";
import type { CompiledPolicy, CurrencyCap } from "../policy/policy.ts";
import { vendorPath } from "../policy/vendor-policies.ts";

/** What a budget counts: micro-dollars, sends, calls that are no reads, or calls. */
export type BudgetUnit = "usd" | "sends" | "writes" | "requests";

/**
 * One cap that a call is charged to. The counter behind it is named by `id` and the start of the window, so that a new
 * window begins at nothing without anybody resetting it.
 */
export interface Budget {
  /**
   * `key:vk_…:daily_usd_cap`, with `@rolling_24h` behind it where the window is a rolling one. Caps that count the same (in dollars and in another currency) share a
   * counter.
   */
  readonly id: string;
  /** The policy field that it comes from, as shown to people: `daily_usd_cap`, `caps.refund.daily_usd`; or a budget's name. */
  readonly name: string;
  /** How audit rows name it where that is not `name`: the field of a budget above keys, `budgets.platform.daily_usd_cap`. */
  readonly rule?: string;
  readonly unit: BudgetUnit;
  /** Micro-dollars or a count. */
  readonly cap: bigint;
  readonly window: CapWindow;
  /** The one kind of money that it counts; undefined where it counts every call. */
  readonly kind?: string;
  /** Set where the cap is in this currency and nobody has configured its rate: it is 0 then. */
  readonly lacksRateOf?: Currency;
}

/** The cap of what is only counted: more than any counter holds, and still a 64-bit integer. */
const UNCAPPED = 1n << 62n;

/** False for what is counted without a cap, so that a cap which is added later finds what was spent before. */
export function isCapped(budget: Budget): boolean {
  return budget.cap !== UNCAPPED;
}

/** The id of the counter that a key has under `name`. */
export function counterId(keyId: string, name: string): string {
  return `key:${keyId}:${name}`;
}

/** `id` in this window: what one and the same cap counts by the day and by the last 24 hours are two counters. */
export function windowedId(id: string, window: CapWindow): string {
  return isRolling(window) ? `${id}@${window}` : id;
}

/** The rolling window that the budget with this id has; undefined where its window is another. */
export function rollingWindowOf(budgetId: string): RollingWindow | undefined {
  const at = budgetId.lastIndexOf("@rolling_");
  if (at === -1) return undefined;
  const window = budgetId.slice(at + 1);
  return window in ROLLING_WINDOWS_MS ? (window as RollingWindow) : undefined;
}

/**
 * The caps of a vault key that a call to the policy's vendor is charged to, as people are shown them, in the order in which
 * they answer when several are full.
 */
export function keyBudgets(keyId: string, policy: CompiledPolicy, rates: CurrencyRates): readonly Budget[] {
  return everyBudget(keyId, policy, rates).filter(isCapped);
}

/** All caps of a vault key, vendor by vendor where it is for several, each once; what counts all vendors comes last. */
export function capsOfKey(keyId: string, policies: Iterable<CompiledPolicy>, rates: CurrencyRates): readonly Budget[] {
  const [own, joint] = [new Map<string, Budget>(), new Map<string, Budget>()];
  for (const policy of policies) {
    for (const budget of vendorBudgets(keyId, policy, rates)) own.set(budget.name, budget);
    for (const budget of jointBudgets(keyId, policy)) joint.set(budget.name, budget);
  }
  return [...own.values(), ...joint.values()].filter(isCapped);
}

/**
 * All that is counted of a vault key's calls to the policy's vendor, capped or not: what they are charged to, each counter once. A kind of money
 * is counted only while it has a cap, and so are writes and requests: a further counter costs each call what a tenth of its transaction does.
 */
export function keyCounters(keyId: string, policy: CompiledPolicy, rates: CurrencyRates): readonly Budget[] {
  const byId = new Map<string, Budget>();
  for (const budget of everyBudget(keyId, policy, rates)) {
    const other = byId.get(budget.id);
    if (!other || budget.cap < other.cap) byId.set(budget.id, budget);
  }
  return [...byId.values()];
}

/** Rates first, as a call is told of them before the caps. */
function everyBudget(keyId: string, policy: CompiledPolicy, rates: CurrencyRates): readonly Budget[] {
  const own = vendorBudgets(keyId, policy, rates);
  if (!policy.joint) return own;
  const joint = jointBudgets(keyId, policy);
  const isRate = ({ unit }: Budget) => unit === "requests";
  const isCap = (budget: Budget) => !isRate(budget);
  return [...joint.filter(isRate), ...own.filter(isRate), ...own.filter(isCap), ...joint.filter(isCap)];
}

type Counter = (name: string, unit: BudgetUnit, cap: bigint | undefined, window: CapWindow) => Budget;

/** @param at what stands before the names: nothing, or `vendors.stripe.` */
function countersOf(keyId: string, at: string): Counter {
  return (field, unit, cap, window) => {
    const name = at + field;
    return { id: windowedId(counterId(keyId, name), window), name, unit, cap: cap ?? UNCAPPED, window };
  };
}

/** Counters that are there only while they have a cap. */
function whereCapped(counter: Counter): (...of: Parameters<Counter>) => readonly Budget[] {
  return (name, unit, cap, window) => (cap === undefined ? [] : [counter(name, unit, cap, window)]);
}

/** What counts the calls to the policy's vendor alone. */
function vendorBudgets(keyId: string, policy: CompiledPolicy, rates: CurrencyRates): readonly Budget[] {
  const { capWindow, joint } = policy;
  const at = joint ? vendorPath(policy.vendor) : "";
  const counter = countersOf(keyId, at);
  const counted = whereCapped(counter);
  const daily = counter("daily_usd_cap", "usd", policy.dailyCapMicros, capWindow);
  const total = counter("total_usd_cap", "usd", policy.totalCapMicros, "lifetime");
  const ofVendor = joint?.vendorDailyMicros;
  return [
    ...counted("requests_per_minute", "requests", policy.requestsPerMinute, "rolling_minute"),
    ...counted("requests_per_hour", "requests", policy.requestsPerHour, "rolling_hour"),
    daily,
    ...(ofVendor === undefined ? [] : [{ ...daily, name: `per_vendor_daily_caps.${policy.vendor}`, cap: ofVendor }]),
    ...inCurrency(daily, `${at}daily_cap`, policy.dailyCap, rates),
    total,
    ...inCurrency(total, `${at}total_cap`, policy.totalCap, rates),
    counter("daily_send_cap", "sends", policy.dailySendCap, capWindow),
    ...counted("max_write_operations", "writes", policy.maxWriteOperations, "lifetime"),
    ...policy.kindCaps.flatMap(({ kind, dailyMicros, totalMicros }) =>
      [
        ...counted(`caps.${kind}.daily_usd`, "usd", dailyMicros, capWindow),
        ...counted(`caps.${kind}.total_usd`, "usd", totalMicros, "lifetime"),
      ].map((budget) => ({ ...budget, kind })),
    ),
  ];
}

/** What counts the calls to all vendors of a key for several; nothing of a key for one. */
function jointBudgets(keyId: string, { joint, capWindow }: CompiledPolicy): readonly Budget[] {
  if (!joint) return [];
  const counter = countersOf(keyId, "");
  const counted = whereCapped(counter);
  return [
    ...counted("requests_per_minute", "requests", joint.requestsPerMinute, "rolling_minute"),
    ...counted("requests_per_hour", "requests", joint.requestsPerHour, "rolling_hour"),
    counter("daily_usd_cap_total", "usd", joint.dailyMicros, capWindow),
    counter("total_usd_cap", "usd", joint.totalMicros, "lifetime"),
    ...counted("max_write_operations", "writes", joint.maxWriteOperations, "lifetime"),
  ];
}

/** The same counter with a cap in another currency; one whose rate is gone lets nothing through. */
export function inCurrency(
  counter: Budget,
  name: string,
  cap: CurrencyCap | undefined,
  rates: CurrencyRates,
): readonly Budget[] {
  if (!cap) return [];
  const dollars = capToMicros(cap.amountMicros, cap.currency, rates);
  if (dollars.ok) return [{ ...counter, name, cap: dollars.micros }];
  return [{ ...counter, name, cap: 0n, lacksRateOf: cap.currency }];
}
