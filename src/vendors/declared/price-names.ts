import { parseUsd } from "../../core/money.ts";
import type { PriceName } from "../price-name.ts";
import type { DeclaredOperation, DeclaredPrice } from "./operation-schema.ts";

/** The name under `prices` in keybrake.yaml of what an operation costs. */
export function priceNameOf(vendor: string, { name, price }: DeclaredOperation): string {
  return price?.name ?? `${vendor}.${name}`;
}

/** The prices of a declared vendor: of all operations that have one in dollars. Several may share a name, and one price. */
export function declaredPrices(
  vendor: string,
  operations: readonly DeclaredOperation[],
  source: string,
): readonly PriceName[] {
  // What moves an amount is priced by the request alone.
  const inDollars = operations.filter(({ price }) => price?.usd !== undefined);
  const byName = Map.groupBy(inDollars, (operation) => priceNameOf(vendor, operation));
  return [...byName].map(([name, sharing]) => {
    // Where they differ the dearest is shown, which is never less than what a call is held for.
    const micros = sharing.map(({ price }) => parseUsd(price!.usd!)).toSorted((a, b) => (a > b ? -1 : 1))[0]!;
    return { name, unit: unitsOf(sharing), builtIn: { micros, source } };
  });
}

/** `a call of reports`, `an address of mails.send, mails.batch`, `1000 addresses of mails.send`. */
function unitsOf(operations: readonly DeclaredOperation[]): string {
  const byUnit = Map.groupBy(operations, ({ price }) => unitOf(price!));
  return [...byUnit].map(([unit, of]) => `${unit} of ${of.map(({ name }) => name).join(", ")}`).join("; ");
}

function unitOf({ per, each, count = [] }: DeclaredPrice): string {
  const [one, many] = unitWords(each !== undefined, count);
  return per === undefined ? one : `${per} ${many}`;
}

function unitWords(
  isOfEntries: boolean,
  count: NonNullable<DeclaredPrice["count"]>,
): readonly [one: string, many: string] {
  if (count.length === 0) return isOfEntries ? ["an entry", "entries"] : ["a call", "calls"];
  return count.every(({ addresses }) => addresses !== undefined) ? ["an address", "addresses"] : ["a unit", "units"];
}
