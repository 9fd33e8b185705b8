import { formatUsd, type Micros } from "../core/money.ts";
import type { CompiledPolicy, CurrencyCap } from "./policy.ts";

/** The caps that a call whose money is of `kind` is charged to: `$500.00 a UTC day`, `$50.00 of refund a UTC day`. */
export function capsInWords(policy: CompiledPolicy, kind: string): readonly string[] {
  const { capWindow, dailyCapMicros, totalCapMicros, dailyCap, totalCap, dailySendCap, kindCaps, joint } = policy;
  const ofKind = kindCaps.find((cap) => cap.kind === kind);
  const day = capWindow === "utc_day" ? "a UTC day" : "in any 24 hours";
  return [
    ...inDollars(dailyCapMicros, day),
    ...inCurrency(dailyCap, day),
    ...inDollars(totalCapMicros, "in all"),
    ...inCurrency(totalCap, "in all"),
    ...(dailySendCap === undefined ? [] : [`${dailySendCap} sends ${day}`]),
    ...inDollars(ofKind?.dailyMicros, `of ${kind} ${day}`),
    ...inDollars(ofKind?.totalMicros, `of ${kind} in all`),
    ...inDollars(joint?.vendorDailyMicros, day),
    ...inDollars(joint?.dailyMicros, `${day} over all its vendors`),
    ...inDollars(joint?.totalMicros, "in all over all its vendors"),
  ];
}

function inDollars(micros: Micros | undefined, when: string): readonly string[] {
  return micros === undefined ? [] : [`$${formatUsd(micros)} ${when}`];
}

function inCurrency(cap: CurrencyCap | undefined, when: string): readonly string[] {
  return cap ? [`${formatUsd(cap.amountMicros)} ${cap.currency} ${when}`] : [];
}
