import { currencyExponent } from "../core/currency.ts";
import { formatUsd, parseUsd } from "../core/money.ts";
import { parseRoute } from "../core/route.ts";
import { parseDuration } from "../core/window.ts";
import type { PolicyFieldName } from "./schema.ts";

/** Where something is wrong (keys and list positions from the top) and a sentence that says key, allowed and got. */
export interface PolicyProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The known name that an unknown one was probably meant to be. */
  readonly nearest?: string;
}

export type Path = readonly (string | number)[];
export type Report = (path: Path, message: string, nearest?: string) => void;

/** Longest list, so that a policy stays something that can be stored with its key and read. */
export const LIST_ENTRIES_MAX = 10_000;
const TEXT_CHARACTERS_MAX = 500;
/** Of one list; who writes ten thousand wrong entries needs no ten thousand sentences. */
const WRONG_ENTRIES_SAID = 20;

/** How a wrong value is shown: short, and on one line. */
export function shown(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** `parameters.currency.in`, `allowed_endpoints[2]`. */
export function pathText(path: Path): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}

/** A dollar amount as canonical text: 500.0 → `500.00`. */
export function readUsd(value: unknown, path: Path, report: Report): string | undefined {
  if (typeof value === "number" || typeof value === "string") {
    try {
      return formatUsd(parseUsd(value));
    } catch {
      // said below, with the key
    }
  }
  report(
    path,
    `${pathText(path)} must be dollars like 500, 29.99 or 0 (up to six decimals, no sign), not ${shown(value)}`,
  );
  return undefined;
}

/** A whole number from 0 on. */
export function readCount(value: unknown, path: Path, report: Report): number | undefined {
  const text = typeof value === "number" || typeof value === "string" ? String(value).trim() : "";
  if (/^(0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  report(path, `${pathText(path)} must be a whole number from 0 on, not ${shown(value)}`);
  return undefined;
}

/** A duration, kept as it was given; a bare number is seconds. */
export function readDuration(value: unknown, path: Path, report: Report): string | undefined {
  if (typeof value === "number" || typeof value === "string") {
    try {
      parseDuration(value);
      return typeof value === "number" ? `${value}s` : value.trim();
    } catch {
      // said below, with the key
    }
  }
  report(path, `${pathText(path)} must be a duration (30s, 5m, 2h, 7d, or whole seconds), not ${shown(value)}`);
  return undefined;
}

export function readText(value: unknown, path: Path, report: Report): string | undefined {
  if (typeof value !== "string" || value.trim() === "") {
    report(path, `${pathText(path)} must be text, not ${shown(value)}`);
    return undefined;
  }
  const text = value.trim();
  if (text.length > TEXT_CHARACTERS_MAX || /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text)) {
    report(
      path,
      `${pathText(path)} must be one line of at most ${TEXT_CHARACTERS_MAX} characters, not ${shown(value)}`,
    );
    return undefined;
  }
  return text;
}

/** What an entry of a list becomes, or undefined where it is none. */
type EntryReader = (text: string) => string | undefined;

/**
 * A list: an array, or text whose entries stand between commas. Duplicates are dropped. An empty list allows nothing.
 * `expected` is what one entry is, for the message.
 */
export function readList(
  value: unknown,
  path: Path,
  report: Report,
  entry: { readonly expected: string; readonly read: EntryReader },
): string[] | undefined {
  const entries: unknown = typeof value === "string" ? value.split(",").map((part) => part.trim()) : value;
  if (!Array.isArray(entries)) {
    report(path, `${pathText(path)} must be a list, each entry ${entry.expected}, not ${shown(value)}`);
    return undefined;
  }
  if (entries.length > LIST_ENTRIES_MAX) {
    report(path, `${pathText(path)} has ${entries.length} entries; a list has at most ${LIST_ENTRIES_MAX}`);
    return undefined;
  }
  const read = new Set<string>();
  let wrong = 0;
  for (const [index, given] of entries.entries()) {
    if (wrong === WRONG_ENTRIES_SAID) break;
    const text = scalarText(given);
    const result = text === undefined ? undefined : entry.read(text);
    if (result === undefined) {
      const at = typeof value === "string" ? path : [...path, index];
      report(at, `${pathText(at)} must be ${entry.expected}, not ${shown(given)}${problemOf(entry, text)}`);
      wrong += 1;
    } else {
      read.add(result);
    }
  }
  return wrong === 0 ? [...read] : undefined;
}

/** A text, number or boolean as the text that a request would carry. */
function scalarText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))
    ? String(value)
    : undefined;
}

function problemOf(entry: { readonly read: EntryReader }, text: string | undefined): string {
  if (entry.read !== readEndpoint || text === undefined) return "";
  try {
    parseRoute(text);
    return "";
  } catch (error) {
    return ` (${(error as RangeError).message})`;
  }
}

function readEndpoint(text: string): string | undefined {
  try {
    return parseRoute(text).text;
  } catch {
    return undefined;
  }
}

function matching(pattern: RegExp): EntryReader {
  return (text) => (pattern.test(text) ? text : undefined);
}

function readDomain(text: string): string | undefined {
  const domain = text.toLowerCase();
  const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
  return domain.length <= 253 && new RegExp(`^(?:${label}\\.)+${label}$`).test(domain) ? domain : undefined;
}

function readCurrency(text: string): string | undefined {
  const currency = text.toLowerCase();
  return currencyExponent(currency) === undefined ? undefined : currency;
}

const endpoint = { expected: 'an endpoint like "POST /v1/charges"', read: readEndpoint };
const domain = { expected: "a domain like example.com (an international one in its xn-- form)", read: readDomain };

/** What the entries of each list field are. */
export const LIST_ENTRIES = {
  allowed_endpoints: endpoint,
  denied_endpoints: endpoint,
  customers: { expected: "a customer's id like cus_123", read: matching(/^[A-Za-z0-9_.:@+-]{1,200}$/) },
  merchants: { expected: "an account's id like acct_123", read: matching(/^[A-Za-z0-9_.:/-]{1,200}$/) },
  to_prefixes: {
    expected: 'a + and up to 15 digits like "+1" or "+4420" (in JSON in quotes)',
    read: matching(/^\+[1-9][0-9]{0,14}$/),
  },
  from_numbers: {
    expected: 'a sender like "+15005550006", a short code or a sender name',
    read: matching(/^[A-Za-z0-9+:_. -]{1,100}$/),
  },
  from_domains: domain,
  to_domains: domain,
  allowed_currencies: { expected: "a currency's ISO code like usd", read: readCurrency },
} as const satisfies Partial<Record<PolicyFieldName, { expected: string; read: EntryReader }>>;

/** An entry of `in`, `not_in` or `prefix_in`: any text that is not empty. */
export const ANY_TEXT = { expected: "text", read: matching(/^.{1,1000}$/su) };
