import type { EpochMs } from "../core/window.ts";
import type { BudgetView } from "../operate/budget-verbs.ts";
import { printable } from "./table.ts";

/** `$1,234.50` for the decimal text `1234.50`. */
export function dollars(text: string): string {
  const [whole = "0", fraction = "00"] = text.split(".");
  const sign = whole.startsWith("-") ? "-" : "";
  return `${sign}$${grouped(whole.replace("-", ""))}.${fraction}`;
}

/** `1,234` */
export function grouped(digits: string | number): string {
  return String(digits).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 call`, `12 calls`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** An ISO time in a table: `2026-01-01 02:00:00`, in UTC. */
export function shortTime(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}

/** `in 2h`, `5m ago`: how far an ISO time is from now, in its largest unit. */
export function fromNow(iso: string, now: EpochMs): string {
  const distanceMs = Date.parse(iso) - now;
  const far = Math.abs(distanceMs);
  const [unitMs, unit] = (
    [
      [86_400_000, "d"],
      [3_600_000, "h"],
      [60_000, "m"],
      [1_000, "s"],
    ] as const
  ).find(([size]) => far >= size) ?? [1_000, "s"];
  const text = `${Math.round(far / unitMs)}${unit}`;
  return distanceMs >= 0 ? `in ${text}` : `${text} ago`;
}

/** `$240.00 of $500.00`, `3 of 100 sends`. */
export function budgetUse({ unit, used, cap }: BudgetView): string {
  return unit === "usd" ? `${dollars(used)} of ${dollars(cap)}` : `${grouped(used)} of ${grouped(cap)} ${unit}`;
}

/** An amount in a budget's unit. */
export function budgetAmount(unit: BudgetView["unit"], amount: string): string {
  return unit === "usd" ? dollars(amount) : `${grouped(amount)} ${unit}`;
}

/** Names and values in two columns. */
export function facts(pairs: readonly (readonly [name: string, value: string | null | undefined])[]): string {
  const present = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null && pair[1] !== undefined);
  const width = Math.max(...present.map(([name]) => name.length));
  return present.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`).join("\n");
}
