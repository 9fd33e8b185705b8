import type { Micros } from "../core/money.ts";
import { nearestName } from "../core/nearest.ts";
import type { Vendor } from "./vendor.ts";

/** A figure that holds where the operator has none, in micro-dollars, and where it is from. */
export interface BuiltInPrice {
  readonly micros: Micros;
  /** Month or day that the figure is of: `2026-10`, `2026-10-08`; undefined where its source has no date. */
  readonly asOf?: string;
  readonly source: string;
}

/** The price for numbers that begin with `prefix`. */
export interface PrefixPrice {
  /** Of an E.164 number: `+44`. */
  readonly prefix: string;
  /** Undefined where the shorter prefix's price does not hold, and there is none. */
  readonly micros: Micros | undefined;
  readonly asOf: string;
  readonly source: string;
}

/** A price that an operator can set under `prices.VENDOR` in keybrake.yaml. */
export interface PriceName {
  /** `resend.email`; of prices by number what stands before the number's beginning: `twilio.sms.`. */
  readonly name: string;
  /** What it is the price of: `a segment of an SMS`. */
  readonly unit: string;
  readonly builtIn?: BuiltInPrice;
  /** Prices by the beginning of a number, the longest that fits; empty where there are none but the operator's. */
  readonly byPrefix?: readonly PrefixPrice[];
  /** What holds without a figure, as a half sentence; undefined where the call is then refused as `cost_unknown`. */
  readonly otherwise?: string;
}

/** `twilio.sms.failed`, or `twilio.sms.+…` for all prices by number. */
export function shownName({ name, byPrefix }: PriceName): string {
  return byPrefix ? `${name}+…` : name;
}

/** A written price name that is none, and what it was probably meant to be. */
export interface UnknownPrice {
  readonly why: string;
  readonly nearest?: string;
}

/** The beginning of an E.164 number; one of all fifteen digits is a number by itself. */
const E164_PREFIX = /^\+[1-9][0-9]{0,14}$/;

/** Why no price of `vendor` goes by `written`; undefined where one does. */
export function unknownPrice(vendor: Vendor, written: string): UnknownPrice | undefined {
  if (vendor.prices.some(({ name, byPrefix }) => !byPrefix && name === written)) return undefined;
  const table = vendor.prices.find(
    ({ name, byPrefix }) => byPrefix && written.startsWith(name) && /^[+0-9]/.test(written.slice(name.length)),
  );
  if (!table) return strange(vendor, written);
  const prefix = written.slice(table.name.length);
  if (E164_PREFIX.test(prefix)) return undefined;
  const digits = /^\+?([1-9][0-9]{0,14})$/.exec(prefix)?.[1];
  const meant = digits === undefined ? undefined : `${table.name}+${digits}`;
  const mending = meant ? `did you mean ${meant}?` : "write + and 1 to 15 digits, the first not 0";
  const why = `${JSON.stringify(prefix.slice(0, 40))} in ${table.name}+… is not how a number in E.164 begins; ${mending}`;
  return meant === undefined ? { why } : { why, nearest: meant };
}

function strange(vendor: Vendor, written: string): UnknownPrice {
  const names = vendor.prices.map(shownName);
  if (names.length === 0) return { why: `${vendor.title} has no price that can be set` };
  const nearest = nearestPrice(vendor, written);
  const meant = nearest ? `did you mean ${nearest}?` : `they are ${names.join(", ")}`;
  const why = `${vendor.title} has no price ${JSON.stringify(written.slice(0, 80))}; ${meant}`;
  return nearest === undefined ? { why } : { why, nearest };
}

/** Compared without the vendor's own name at the front, which people leave out; prices by number with the written number. */
function nearestPrice(vendor: Vendor, written: string): string | undefined {
  const number = /\+?([1-9][0-9]{0,14})$/.exec(written)?.[1];
  const known = new Map<string, string>();
  for (const price of vendor.prices) {
    const name = price.byPrefix && number !== undefined ? `${price.name}+${number}` : shownName(price);
    known.set(withoutVendor(vendor, name), name);
  }
  const nearest = nearestName(withoutVendor(vendor, written), known.keys());
  return nearest === undefined ? undefined : known.get(nearest);
}

function withoutVendor({ name }: Vendor, price: string): string {
  return price.startsWith(`${name}.`) ? price.slice(name.length + 1) : price;
}
