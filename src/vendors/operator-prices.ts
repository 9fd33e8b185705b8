import { type Micros, parseUsd } from "../core/money.ts";
import { nearestName } from "../core/nearest.ts";
import { Problem } from "../core/problem.ts";
import { type DataPath, type Position, readYaml } from "../core/yaml-data.ts";
import { unknownPrice } from "./price-name.ts";
import type { Vendor } from "./vendor.ts";

/** Vendor → price name → micro-dollars: what an operator has set. */
export type OperatorPrices = ReadonlyMap<string, ReadonlyMap<string, Micros>>;

interface PriceProblem extends Position {
  readonly message: string;
}

interface PriceReading {
  readonly prices: OperatorPrices;
  /** In the order of their lines. */
  readonly problems: readonly PriceProblem[];
}

/**
 * What stands under `prices:` in a YAML text. A misspelt price would leave calls at the built-in one, or refused, and nobody
 * would be told why: each name must be one that its vendor declares. Numbers are read as they are written, so that no digit
 * is rounded away.
 * @throws Problem `invalid` with file, line and column of the first error, and how many more there are.
 */
export function operatorPrices(text: string, path: string, vendors: readonly Vendor[]): OperatorPrices {
  const { prices, problems } = readPrices(text, vendors);
  const [first] = problems;
  if (!first) return prices;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  throw new Problem("invalid", `${path}:${first.line}:${first.column}: ${first.message}${more}`, "mend the file");
}

function readPrices(text: string, vendors: readonly Vendor[]): PriceReading {
  const yaml = readYaml(text);
  if (yaml.problems.length > 0) return { prices: new Map(), problems: yaml.problems };
  const problems: PriceProblem[] = [];
  const report = (path: DataPath, what: "key" | "value", message: string) =>
    problems.push({ ...yaml.positionOf(path, what), message });
  const prices = new Map<string, ReadonlyMap<string, Micros>>();
  for (const [name, value] of entriesOf((yaml.data as { prices?: unknown } | null)?.prices, ["prices"], report)) {
    const vendor = vendors.find((each) => each.name === name);
    if (vendor) prices.set(name, pricesOf(vendor, value, report));
    else report(["prices", name], "key", unknownVendor(name, vendors));
  }
  return { prices, problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

type Report = (path: DataPath, what: "key" | "value", message: string) => void;

function pricesOf(vendor: Vendor, value: unknown, report: Report): ReadonlyMap<string, Micros> {
  const prices = new Map<string, Micros>();
  for (const [name, price] of entriesOf(value, ["prices", vendor.name], report)) {
    const path = ["prices", vendor.name, name];
    const unknown = unknownPrice(vendor, name);
    if (unknown) report(path, "key", `prices.${vendor.name}: ${unknown.why}`);
    const micros = microsOf(price);
    if (micros !== undefined) prices.set(name, micros);
    else report(path, "value", `the price ${name} is ${JSON.stringify(price)}; it must be ${ALLOWED}`);
  }
  return prices;
}

const ALLOWED = "dollars, 0 or more and with at most six decimals, like 0.0075";

function microsOf(price: unknown): Micros | undefined {
  try {
    return typeof price === "string" ? parseUsd(price) : undefined;
  } catch {
    return undefined;
  }
}

function entriesOf(value: unknown, path: readonly string[], report: Report): readonly (readonly [string, unknown])[] {
  if (value === undefined || value === null) return [];
  if (typeof value === "object" && !Array.isArray(value)) return Object.entries(value);
  report(path, "value", `${path.join(".")} is ${JSON.stringify(value)}; it must be a map of names`);
  return [];
}

function unknownVendor(name: string, vendors: readonly Vendor[]): string {
  const names = vendors.map((vendor) => vendor.name);
  const nearest = nearestName(name, names);
  const meant = nearest ? `did you mean ${nearest}?` : `the vendors are ${names.join(", ")}`;
  return `prices: there is no vendor ${JSON.stringify(name)}; ${meant}`;
}
