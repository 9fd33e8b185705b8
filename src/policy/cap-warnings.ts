import type { CurrencyRates } from "../core/currency.ts";
import { parseUsd } from "../core/money.ts";
import type { Route } from "../core/route.ts";
import type { Operation } from "../vendors/vendor.ts";
import { type KindCapDocument, readCaps } from "./cap-values.ts";
import { unratedCaps, unratedCurrencies } from "./unrated.ts";

/** Something lawful in a policy that its author hardly meant, and where it stands. */
export interface Warning {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export interface Endpoint {
  readonly path: readonly (string | number)[];
  readonly route: Route;
  /** The operations that calls of this endpoint can be, the deciding first. */
  readonly operations: readonly Operation[];
}

type Fields = Readonly<Record<string, unknown>>;

const CAPS_OF_ALL = ["daily_usd_cap", "total_usd_cap", "daily_cap", "total_cap", "daily_usd_cap_total"];

/** Nothing allowed, something that costs and has no cap, and caps of kinds that no call of this policy is. */
export function capWarnings(fields: Fields, allowed: readonly Endpoint[]): Warning[] {
  if (fields["allowed_endpoints"] === undefined) {
    return [{ path: ["vendor"], message: "there are no allowed_endpoints, so that no call is allowed" }];
  }
  return [...uncappedWarnings(fields, allowed), ...idleCapWarnings(fields, allowed)];
}

function uncappedWarnings(fields: Fields, allowed: readonly Endpoint[]): Warning[] {
  const capped = new Set(kindCaps(fields).map(([kind]) => kind));
  const costs = (operation: Operation) => isPaid(operation) && !capped.has(operation.kind);
  const dear = allowed.find(({ operations }) => operations.some(costs));
  const countsSends = dear?.operations.some(({ kind }) => kind === "message" || kind === "email");
  const caps = [...CAPS_OF_ALL, ...(countsSends ? ["daily_send_cap"] : [])];
  if (!dear || caps.some((cap) => fields[cap] !== undefined)) return [];
  const message = `"${dear.route.text}" costs money and there is no cap; give daily_usd_cap or total_usd_cap`;
  return [{ path: dear.path, message }];
}

function idleCapWarnings(fields: Fields, allowed: readonly Endpoint[]): Warning[] {
  const kinds = new Set(allowed.flatMap(({ operations }) => operations.filter(isPaid).map(({ kind }) => String(kind))));
  // A cap of nothing is a prohibition, which one may well write down beside endpoints that do not need it.
  const idle = kindCaps(fields).filter(([kind, cap]) => !kinds.has(kind) && !Object.values(cap).every(isNothing));
  return idle.map(([kind]) => ({
    path: ["caps", kind],
    message: `caps.${kind} caps nothing: no allowed endpoint is a ${kind}`,
  }));
}

/** The caps by kind, as far as they can be read. */
function kindCaps(fields: Fields): readonly (readonly [string, KindCapDocument])[] {
  return Object.entries(readCaps(fields["caps"] ?? {}, ["caps"], () => {}) ?? {});
}

function isNothing(usd: string): boolean {
  return parseUsd(usd) === 0n;
}

function isPaid({ class: is }: Operation): boolean {
  return is === "priced" || is === "look_up";
}

/** Currencies that the configuration has no rate for. */
export function rateWarnings(fields: Fields, rates: CurrencyRates): Warning[] {
  return [
    ...unratedCaps(fields, rates).map(({ path, currency }) => ({
      path,
      message: `${path[0]} is in ${currency} and there is no rate for that: no key can be issued with it until currency_rates.${currency} is set`,
    })),
    ...unratedCurrencies(fields, rates).map(({ path, currency }) => ({
      path,
      message: `allowed_currencies has ${currency} and there is no rate for that: such calls are refused until currency_rates.${currency} is set`,
    })),
  ];
}
