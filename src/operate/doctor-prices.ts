import type { EpochMs } from "../core/window.ts";
import { type PriceName, shownName } from "../vendors/price-name.ts";
import type { Vendor } from "../vendors/vendor.ts";
import type { FindingView } from "./about.ts";
import type { ControlPlaneOptions } from "./options.ts";

type Finding = Omit<FindingView, "check">;
type Setting = Pick<ControlPlaneOptions, "config" | "clock" | "store" | "vendors">;

const DAY_MS = 86_400_000;
/** After so long a vendor may well have changed what it publishes. */
const PRICE_AGE_DAYS_MAX = 180;
const NAMES_SHOWN = 3;

/**
 * Built-in prices that are old, of the vendors that have a secret: what is held for their calls may be too little. A price
 * that the operator has set is the operator's to keep.
 */
export async function prices({ config, clock, store, vendors }: Setting): Promise<readonly Finding[]> {
  const set = new Set((await store.listVendors()).filter(({ sealedSecret }) => sealedSecret).map(({ name }) => name));
  const findings = vendors
    .filter(({ name }) => set.has(name))
    .flatMap((vendor) => oldPrices(vendor, new Set(config.prices.get(vendor.name)?.keys()), clock.now()));
  if (findings.length > 0) return findings;
  const message = `no built-in price of a vendor with a secret is older than ${PRICE_AGE_DAYS_MAX} days`;
  return [{ level: "ok", message, hint: null }];
}

/** One line for each vendor: the oldest day, and the names. */
function oldPrices(vendor: Vendor, own: ReadonlySet<string>, now: EpochMs): Finding[] {
  const old = vendor.prices.flatMap((price) => {
    const asOf = daysOf(price, own).find((day) => ageDays(day, now) > PRICE_AGE_DAYS_MAX);
    return asOf === undefined ? [] : [{ name: shownName(price), asOf }];
  });
  if (old.length === 0) return [];
  const oldest = old.map(({ asOf }) => asOf).toSorted()[0]!;
  const names = old.map(({ name }) => name);
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  const message =
    `${vendor.title}'s built-in prices are of ${oldest}, ${ageDays(oldest, now)} days ago: ` +
    names.slice(0, NAMES_SHOWN).join(", ") +
    more;
  const hint = `\`keybrake vendor prices ${vendor.name}\` shows them; set your account's under prices.${vendor.name} in keybrake.yaml`;
  return [{ level: "warning", message, hint }];
}

/** The days of the figures that are in force, oldest first. */
function daysOf({ name, builtIn, byPrefix = [] }: PriceName, own: ReadonlySet<string>): readonly string[] {
  const flat = builtIn?.asOf !== undefined && !own.has(name) ? [builtIn.asOf] : [];
  const byNumber = byPrefix.filter(({ prefix, micros }) => micros !== undefined && !own.has(name + prefix));
  return [...flat, ...byNumber.map(({ asOf }) => asOf)].toSorted();
}

/** A month counts from its first day. */
function ageDays(asOf: string, now: EpochMs): number {
  return Math.floor((now - Date.parse(`${asOf.length === 7 ? `${asOf}-01` : asOf}T00:00:00Z`)) / DAY_MS);
}
