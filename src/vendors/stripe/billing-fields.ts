import { type Call, field } from "../../core/call.ts";
import { costUnknown, rejected } from "../stripe-money.ts";
import type { NoExposure } from "../vendor.ts";

/** Parameters of one entry of a list, without the list's name and index: `price_data[unit_amount]` → `500`. */
export type Entry = ReadonlyMap<string, string>;

/** An id as it may stand in a look-up's path; anything else could name another object there. */
const ID = /^[A-Za-z0-9_-]{1,255}$/;
const INDEX = /^(?:0|[1-9][0-9]{0,3})$/;

/** What a line's money is read from; nothing may be nested below these. */
const LINE_AMOUNTS =
  "amount|unit_amount|unit_amount_decimal|price|plan|quantity|quantity_decimal|currency|pricing\\[price\\]|" +
  "price_data\\[(?:currency|product|unit_amount|unit_amount_decimal|tax_behavior)\\]|" +
  "adjustable_quantity\\[(?:enabled|maximum|minimum)\\]";
/** What else a line can have; none of it raises what the line comes to without tax. */
const LINE_TEXTS =
  "billing_thresholds|description|discountable|discounts|metadata|period|tax_amounts|tax_behavior|tax_code|tax_rates|" +
  "price_data\\[product_data\\]|price_data\\[recurring\\]";
const LINE_NAMES = new RegExp(`^(?:id|deleted|${LINE_AMOUNTS})$|^(?:${LINE_TEXTS})(?:\\[.+)?$`);

/**
 * The parameters that an operation knows, by their first names (`items|description`), with whatever is nested below them;
 * `expand` and `metadata` besides, and those of a line where the call is itself one.
 */
export function known(names: string, options: { readonly isLine?: boolean } = {}): RegExp {
  const line = options.isLine ? `|^(?:${LINE_AMOUNTS})$|^(?:${LINE_TEXTS})(?:\\[.+)?$` : "";
  return new RegExp(`^(?:expand|metadata|${names})(?:\\[.+)?$${line}`);
}

/** Refuses the first parameter that is not `known`: Stripe may read in it what would not be counted. */
export function refuseUnknown(call: Call, names: RegExp): NoExposure | undefined {
  const strange = fieldNames(call).find((name) => !names.test(name));
  return strange === undefined
    ? undefined
    : costUnknown(`the parameter ${strange.slice(0, 80)} may move or commit money`);
}

export function fieldNames(call: Call): readonly string[] {
  return [...call.bodyFields.keys(), ...call.queryFields.keys()];
}

/** The first parameter, of those whose name matches, that is not empty or `false`. */
export function setField(call: Call, names: RegExp): string | undefined {
  return fieldNames(call).find((name) => names.test(name) && !/^(?:|false)$/.test(field(call, name)!));
}

/** `true` or `false` as Stripe's SDKs write it; absent is undefined, anything else is no boolean to be relied on. */
export function flag(
  call: Call,
  name: string,
): { readonly ok: true; readonly value: boolean | undefined } | NoExposure {
  const value = field(call, name);
  if (value === undefined || value === "true" || value === "false") {
    return { ok: true, value: value === undefined ? undefined : value === "true" };
  }
  return rejected(`${name} is ${JSON.stringify(value.slice(0, 40))}; write true or false`);
}

/** The id in parameter `name`, if it has one that can be looked up. */
export function idField(call: Call, name: string): { readonly ok: true; readonly id: string | undefined } | NoExposure {
  const value = field(call, name);
  if (value === undefined || value === "" || ID.test(value)) return { ok: true, id: value === "" ? undefined : value };
  return rejected(`${name} is ${JSON.stringify(value.slice(0, 40))}, which is no id of Stripe's`);
}

export function isId(text: string): boolean {
  return ID.test(text);
}

/**
 * The entries of the list `list` (`items`, `phases[0][items]`) in the order of the request.
 * An index that is no plain number, or an entry without names below it, is refused: Stripe may count it otherwise.
 */
export function entriesOf(
  call: Call,
  list: string,
): { readonly ok: true; readonly entries: readonly Entry[] } | NoExposure {
  const byIndex = new Map<string, Map<string, string>>();
  for (const name of fieldNames(call)) {
    const below = name.startsWith(`${list}[`) ? name.slice(list.length + 1) : undefined;
    if (below === undefined) continue;
    const end = below.indexOf("]");
    const index = below.slice(0, end);
    const inner = /^\[([^[\]]+)\](.*)$/.exec(below.slice(end + 1));
    if (!INDEX.test(index) || !inner) {
      return rejected(`the parameter ${JSON.stringify(name.slice(0, 60))} has to be written ${list}[0][…]`);
    }
    if (!LINE_NAMES.test(`${inner[1]}${inner[2]}`)) {
      return costUnknown(`the parameter ${name.slice(0, 80)} may move or commit money`);
    }
    const entry = byIndex.get(index) ?? new Map<string, string>();
    entry.set(`${inner[1]}${inner[2]}`, field(call, name)!);
    byIndex.set(index, entry);
  }
  return { ok: true, entries: [...byIndex.values()] };
}

/** The call itself as a line: its parameters by their names. */
export function callAsEntry(call: Call): Entry {
  return new Map(fieldNames(call).map((name) => [name, field(call, name)!]));
}

/** `name=value` for a look-up. Both are escaped, or a name like `lines[0][x&amount]` would ask about another call. */
export function formPair(name: string, value: string): string {
  const escaped = encodeURIComponent(name).replaceAll("%5B", "[").replaceAll("%5D", "]");
  return `${escaped}=${encodeURIComponent(value)}`;
}

/** The path of the object that the call is about: `/v1/invoices/in_1` of `/v1/invoices/in_1/lines/il_1`. */
export function objectPath(call: Call, segments = 3): string {
  return call.path.split("/", segments + 1).join("/");
}
