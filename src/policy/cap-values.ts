import { currencyExponent } from "../core/currency.ts";
import { formatUsd, parseUsd } from "../core/money.ts";
import { nearestName } from "../core/nearest.ts";
import { CAPPED_KINDS, type CappedKind } from "../vendors/vendor.ts";
import { type Path, pathText, type Report, readUsd, shown } from "./field-values.ts";
import { isMap } from "./rule-values.ts";
import { KIND_CAP_NAMES } from "./value-schemas.ts";

/** A cap in a currency of its own, in its canonical form: `{ amount: "500.00", currency: "eur" }`. */
export interface MoneyDocument {
  /** Decimal text, in the currency's unit. */
  readonly amount: string;
  readonly currency: string;
}

/** The caps of one kind, dollars as decimal text. */
export interface KindCapDocument {
  readonly daily_usd?: string;
  readonly total_usd?: string;
}

export type CapsDocument = Readonly<Partial<Record<CappedKind, KindCapDocument>>>;

/** Dollars by vendor, as decimal text. */
export type VendorUsdDocument = Readonly<Record<string, string>>;

/** More than there are; each of fewer is looked at, and told which one it was probably meant to be. */
const ENTRIES_MAX = 50;

const MONEY_TEXT = /^([0-9.]+) ?([A-Za-z]{3})$/;

/** `{ amount: 500, currency: eur }`, or `500 eur` where only text can be given. */
export function readMoney(value: unknown, path: Path, report: Report): MoneyDocument | undefined {
  const [, amountText, currencyText] = (typeof value === "string" && MONEY_TEXT.exec(value.trim())) || [];
  const given = isMap(value) ? value : { amount: amountText, currency: currencyText };
  const at = pathText(path);
  if (given["amount"] === undefined || given["currency"] === undefined) {
    const dollars = at.replace(/_cap$/, "_usd_cap");
    const hint = `for dollars there is ${dollars}`;
    report(
      path,
      `${at} must be an amount and its currency like { amount: 500, currency: eur }, not ${shown(value)}; ${hint}`,
    );
    return undefined;
  }
  for (const name of Object.keys(given)) {
    if (name === "amount" || name === "currency") continue;
    const nearest = nearestName(name, ["amount", "currency"]);
    report([...path, name], `${at} has ${shown(name)}; it has amount and currency`, nearest);
    return undefined;
  }
  const amount = readAmount(given["amount"]);
  const currency = String(given["currency"]).toLowerCase();
  const isCurrency = currencyExponent(currency) !== undefined;
  if (amount === undefined) {
    report([...path, "amount"], `${at}.amount must be an amount like 500 or 29.99, not ${shown(given["amount"])}`);
  }
  if (!isCurrency) {
    const got = shown(given["currency"]);
    report([...path, "currency"], `${at}.currency must be a currency's ISO code like eur, not ${got}`);
  }
  return amount !== undefined && isCurrency ? { amount, currency } : undefined;
}

/** An amount is written in another currency as it is in dollars: up to six decimals, no sign. */
function readAmount(value: unknown): string | undefined {
  if ((typeof value !== "number" && typeof value !== "string") || String(value).includes("$")) return undefined;
  try {
    return formatUsd(parseUsd(value));
  } catch {
    return undefined;
  }
}

/** `{ refund: { daily_usd: 50 } }`, or `refund.daily_usd=50,payout.daily_usd=0` where only text can be given. */
export function readCaps(value: unknown, path: Path, report: Report): CapsDocument | undefined {
  const given = typeof value === "string" ? capsOfText(value, path, report) : value;
  if (given === undefined) return undefined;
  if (!isMap(given) || Object.keys(given).length === 0) {
    report(path, `${pathText(path)} must be a map like { refund: { daily_usd: 50 } }, not ${shown(value)}`);
    return undefined;
  }
  const kinds = Object.keys(given).length;
  if (kinds > ENTRIES_MAX) {
    report(path, `${pathText(path)} has ${kinds} entries; there are ${CAPPED_KINDS.length} kinds`);
    return undefined;
  }
  const caps: [string, KindCapDocument][] = [];
  for (const [kind, cap] of Object.entries(given)) {
    if (!(CAPPED_KINDS as readonly string[]).includes(kind)) {
      reportUnknown(kind, CAPPED_KINDS, "the kinds are", [...path, kind], report);
      continue;
    }
    const read = readKindCap(cap, [...path, kind], report);
    if (read) caps.push([kind, read]);
  }
  return Object.fromEntries(caps);
}

function readKindCap(value: unknown, path: Path, report: Report): KindCapDocument | undefined {
  if (!isMap(value) || Object.keys(value).length === 0 || Object.keys(value).length > ENTRIES_MAX) {
    report(path, `${pathText(path)} must be caps like { daily_usd: 50 }, not ${shown(value)}`);
    return undefined;
  }
  const caps: [string, string][] = [];
  for (const [name, amount] of Object.entries(value)) {
    if (!KIND_CAP_NAMES.includes(name)) {
      reportUnknown(name, KIND_CAP_NAMES, "a kind has", [...path, name], report);
      continue;
    }
    const usd = readUsd(amount, [...path, name], report);
    if (usd !== undefined) caps.push([name, usd]);
  }
  return Object.fromEntries(caps);
}

const VENDOR_USD_TEXT = /^([^=]+)=(.+)$/;

/** `{ stripe: 500, twilio: 20 }`, or `stripe=500,twilio=20` where only text can be given. */
export function readVendorUsd(value: unknown, path: Path, report: Report): VendorUsdDocument | undefined {
  const entries = typeof value === "string" ? value.split(",").map((part) => part.trim()) : undefined;
  const pairs = entries?.map((part) => VENDOR_USD_TEXT.exec(part)?.slice(1) as [string, string] | undefined);
  const given = pairs
    ? pairs.every((pair) => pair !== undefined)
      ? pairs
      : undefined
    : isMap(value) && Object.entries(value);
  if (!given || given.length === 0) {
    report(path, `${pathText(path)} must be dollars by vendor like { stripe: 500, twilio: 20 }, not ${shown(value)}`);
    return undefined;
  }
  const caps = new Map<string, string>();
  for (const [vendor, amount] of given) {
    const at = [...path, vendor];
    if (caps.has(vendor)) report(at, `${pathText(path)} has ${shown(vendor)} twice; keep one`);
    const usd = readUsd(amount, at, report);
    if (usd !== undefined) caps.set(vendor, usd);
  }
  return Object.fromEntries(caps);
}

function reportUnknown(name: string, known: readonly string[], are: string, path: Path, report: Report): void {
  const nearest = nearestName(name, known);
  const meant = nearest ? `did you mean ${nearest}?` : `${are} ${known.join(", ")}`;
  report(path, `${pathText(path.slice(0, -1))} has ${shown(name)}; ${meant}`, nearest);
}

const CAP_TEXT = /^([^.=]+)\.([^.=]+)=(.+)$/;

/** The map that `refund.daily_usd=50,payout.daily_usd=0` writes down. */
function capsOfText(text: string, path: Path, report: Report): unknown {
  const kinds = new Map<string, Map<string, string>>();
  for (const part of text.split(",")) {
    const [, kind, name, amount] = CAP_TEXT.exec(part.trim()) ?? [];
    if (kind === undefined || name === undefined || amount === undefined) {
      report(path, `${pathText(path)} must be caps like refund.daily_usd=50, not ${shown(part.trim())}`);
      return undefined;
    }
    const caps = kinds.get(kind) ?? new Map<string, string>();
    if (caps.has(name)) {
      report(path, `${pathText(path)} has ${kind}.${name} twice; keep one`);
      return undefined;
    }
    kinds.set(kind, caps.set(name, amount));
  }
  return Object.fromEntries([...kinds].map(([kind, caps]) => [kind, Object.fromEntries(caps)]));
}
