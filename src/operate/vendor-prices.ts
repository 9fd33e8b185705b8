import { formatUsd, type Micros } from "../core/money.ts";
import type { OperatorPrices } from "../vendors/operator-prices.ts";
import { type PrefixPrice, type PriceName, shownName } from "../vendors/price-name.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { knownVendor } from "./known-vendor.ts";

/** One line of a vendor's prices: one name, or a whole table by number. */
export interface PriceView {
  /** `twilio.sms.+44`; a table that is not shown in full is `twilio.sms.+…`. */
  readonly name: string;
  readonly unit: string;
  /** Dollars, of a table the lowest; null where there is no figure. */
  readonly usd: string | null;
  /** The highest of a table that is not shown in full, else null. */
  readonly usd_max: string | null;
  /** How many beginnings of numbers a table has that is not shown in full, else null. */
  readonly prefixes: number | null;
  readonly from: "keybrake.yaml" | "built-in" | null;
  /** Month or day of a built-in figure; of a table the oldest. */
  readonly as_of: string | null;
  readonly source: string | null;
  /** What holds where there is no figure; null where there is one, or calls are refused. */
  readonly otherwise: string | null;
}

/** The part of the control plane that needs the program and `keybrake.yaml` alone. */
export interface VendorPriceVerbs {
  /** As `vendorPrices`. @throws Problem `not_found` for a vendor that there is not. */
  vendorPrices(name: string, isFull: boolean): Promise<readonly PriceView[]>;
}

/**
 * What an operator can set for a vendor, with the figures in force. `isFull` shows tables by number line by line.
 * @throws Problem `not_found` for a vendor that there is not.
 */
export function vendorPrices(
  vendors: readonly Vendor[],
  operator: OperatorPrices,
  vendor: string,
  isFull: boolean,
): readonly PriceView[] {
  const own = operator.get(vendor) ?? new Map<string, Micros>();
  return knownVendor(vendors, vendor).prices.flatMap((price) =>
    price.byPrefix ? tableViews(price, price.byPrefix, own, isFull) : [flatView(price, own.get(price.name))],
  );
}

const NO_FIGURE: Omit<PriceView, "name" | "unit"> = {
  usd: null,
  usd_max: null,
  prefixes: null,
  from: null,
  as_of: null,
  source: null,
  otherwise: null,
};

function flatView({ name, unit, builtIn, otherwise }: PriceName, own: Micros | undefined): PriceView {
  const line = { name, unit, ...NO_FIGURE };
  if (own !== undefined) return { ...line, usd: formatUsd(own), from: "keybrake.yaml" };
  if (!builtIn) return { ...line, otherwise: otherwise ?? null };
  const { micros, asOf, source } = builtIn;
  return { ...line, usd: formatUsd(micros), from: "built-in", as_of: asOf ?? null, source };
}

/** The operator's own are always shown one by one, at the place of their number. */
function tableViews(
  price: PriceName,
  byPrefix: readonly PrefixPrice[],
  operator: ReadonlyMap<string, Micros>,
  isFull: boolean,
): readonly PriceView[] {
  const own = [...operator].filter(([name]) => name.startsWith(`${price.name}+`));
  const ownNames = new Set(own.map(([name]) => name));
  const published = byPrefix.filter(({ prefix }) => !ownNames.has(price.name + prefix));
  const owned = own.map(([name, micros]) => flatView({ name, unit: price.unit }, micros));
  if (!isFull) return [summary(price, published), ...owned.toSorted(byName)];
  const listed = published.map(({ prefix, micros, asOf, source }) =>
    flatView(
      {
        name: price.name + prefix,
        unit: price.unit,
        ...(micros === undefined ? {} : { builtIn: { micros, asOf, source } }),
      },
      undefined,
    ),
  );
  return listed.length + owned.length === 0 ? [summary(price, [])] : [...listed, ...owned].toSorted(byName);
}

function byName(a: PriceView, b: PriceView): number {
  return a.name < b.name ? -1 : 1;
}

function summary(price: PriceName, published: readonly PrefixPrice[]): PriceView {
  const line = { name: shownName(price), unit: price.unit, ...NO_FIGURE };
  const priced = published.filter(({ micros }) => micros !== undefined);
  if (priced.length === 0) return { ...line, otherwise: price.otherwise ?? null };
  const figures = priced.map(({ micros }) => micros!).toSorted((a, b) => (a < b ? -1 : 1));
  return {
    ...line,
    usd: formatUsd(figures[0]!),
    usd_max: formatUsd(figures.at(-1)!),
    prefixes: priced.length,
    from: "built-in",
    as_of: priced.map(({ asOf }) => asOf).toSorted()[0]!,
    source: [...new Set(priced.map(({ source }) => source))].join("; "),
  };
}
