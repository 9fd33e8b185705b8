import type { Micros } from "../../core/money.ts";
import type { PrefixPrice, PriceName } from "../price-name.ts";

/**
 * Prices that Twilio publishes, as ceilings in micro-dollars, each with its date and source. Twilio's own list is per
 * account and network, so an operator's price of the same name (`prices.twilio` in keybrake.yaml) always wins, and a
 * destination that is not here has no ceiling: the call is `cost_unknown`.
 */
interface RateGroup {
  /** Day or month that the figures are of. */
  readonly asOf: string;
  readonly source: string;
  /** By E.164 prefix; undefined where the shorter prefix's rate does not hold. */
  readonly rates: Readonly<Record<string, Micros | undefined>>;
}

/** Prices by number go by this and the number's beginning: `twilio.sms.+44`. */
type TablePrice = `twilio.${"sms" | "mms" | "voice" | "number" | `verify.${string}`}.`;

/** Rates by destination: the longest prefix of the number decides. */
export interface RateTable {
  readonly priceName: TablePrice;
  /** What one unit is. */
  readonly unit: string;
  readonly rates: ReadonlyMap<string, Micros | undefined>;
  /** The same with day and source, for people. */
  readonly published: readonly PrefixPrice[];
}

/**
 * Area codes inside +1 and +44 that are other countries with rates of their own, several times as high: the Caribbean
 * and the Pacific; Guernsey, Jersey and the Isle of Man. And +1900, which is premium.
 */
const OTHER_COUNTRIES: RateGroup = {
  asOf: "2026-11",
  source: "the numbering plans of +1 and +44",
  rates: without(
    "+1242 +1246 +1264 +1268 +1284 +1340 +1345 +1441 +1473 +1649 +1658 +1664 +1670 +1671 +1684 +1721 +1758 +1767 +1784 " +
      "+1787 +1809 +1829 +1849 +1868 +1869 +1876 +1939 +1900 " +
      "+441481 +441534 +441624 +447509 +447624 +447700 +447781 +447797 +447829 +447839 +447911 +447924 +447937",
  ),
};

const SMS_NORTH_AMERICA: RateGroup = {
  asOf: "2026-10",
  source:
    "$0.0083 a segment and at most $0.0070 of carrier fee: twilio.com/en-us/sms/pricing/us, read by third parties",
  rates: { "+1": 15_300n },
};

/**
 * The dearest network of each country. Germany, the Netherlands, Belgium, Mexico and others are not in the reading that
 * this is from, which ends at $0.10.
 */
const SMS_ABROAD: RateGroup = {
  asOf: "2026-10-08",
  source: "assets.cdn.prod.twilio.com/pricing-csv/SMSPricing.csv, read by a third party",
  rates: {
    "+1242": 90_400n, // Bahamas
    "+1671": 84_700n, // Guam
    "+1787": 54_000n, // Puerto Rico
    "+1939": 54_000n,
    "+30": 65_700n, // Greece
    "+33": 79_800n, // France
    "+34": 87_500n, // Spain
    "+351": 50_100n, // Portugal
    "+352": 81_800n, // Luxembourg
    "+353": 77_900n, // Ireland
    "+354": 71_900n, // Iceland
    "+356": 68_900n, // Malta
    "+357": 86_400n, // Cyprus
    "+358": 86_100n, // Finland
    "+36": 91_000n, // Hungary
    "+370": 57_800n, // Lithuania
    "+371": 80_100n, // Latvia
    "+372": 95_800n, // Estonia
    "+39": 92_700n, // Italy
    "+40": 78_100n, // Romania
    "+41": 76_900n, // Switzerland
    "+420": 70_600n, // Czech Republic
    "+421": 88_300n, // Slovakia
    "+423": 36_200n, // Liechtenstein
    "+43": 97_900n, // Austria
    "+44": 56_000n, // United Kingdom
    "+45": 59_200n, // Denmark
    "+46": 64_600n, // Sweden
    "+47": 69_700n, // Norway
    "+48": 45_700n, // Poland
    "+55": 59_900n, // Brazil
    "+56": 79_700n, // Chile
    "+57": 59_200n, // Colombia
    "+598": 85_200n, // Uruguay
    "+61": 51_500n, // Australia
    "+65": 59_100n, // Singapore
    "+66": 30_500n, // Thailand
    "+81": 89_000n, // Japan
    "+82": 52_400n, // South Korea
    "+852": 72_300n, // Hong Kong
    "+853": 59_000n, // Macao
    "+886": 84_200n, // Taiwan
    "+90": 30_500n, // Turkey
    "+91": 83_200n, // India
    "+973": 38_600n, // Bahrain
  },
};

const MMS_NORTH_AMERICA: RateGroup = {
  asOf: "2026-10",
  source: "$0.022 and at most $0.013 of carrier fee: twilio.com/en-us/sms/pricing/us, read by third parties",
  rates: { "+1": 35_000n },
};

/** A started minute of a leg. Not confirmed on a page of Twilio's own of 2026: what a call did cost is asked for later. */
const VOICE_NORTH_AMERICA: RateGroup = {
  asOf: "2026-10",
  source: "third parties; that Alaska and the north of Canada have rates of their own: pricing.twilio.com/v2/Voice",
  rates: { "+1": 14_000n, ...without("+1907 +1867") },
};

export const SMS_RATES = table("twilio.sms.", "a segment of an SMS to such a number", [
  OTHER_COUNTRIES,
  SMS_NORTH_AMERICA,
  SMS_ABROAD,
]);
export const MMS_RATES = table("twilio.mms.", "an MMS to such a number, whatever its text", [
  OTHER_COUNTRIES,
  MMS_NORTH_AMERICA,
]);
export const VOICE_RATES = table("twilio.voice.", "a started minute of a leg to such a number", [
  OTHER_COUNTRIES,
  VOICE_NORTH_AMERICA,
]);
/** Numbers that are bought have prices by prefix of the operator's only. */
export const NUMBER_RATES = table("twilio.number.", "the month of a number that begins so", []);

/** Price of one unit to `to` (E.164): the longest prefix decides, at equal length the operator's. */
export function rateFor(
  to: string,
  { priceName, rates }: RateTable,
  prices: ReadonlyMap<string, Micros>,
): Micros | undefined {
  for (let length = to.length; length > 0; length--) {
    const prefix = to.slice(0, length);
    const own = prices.size === 0 ? undefined : prices.get(priceName + prefix);
    if (own !== undefined) return own;
    if (rates.has(prefix)) return rates.get(prefix);
  }
  return undefined;
}

/** A table as the price that an operator can set. */
export function priceByNumber({ priceName, unit, published }: RateTable, otherwise?: string): PriceName {
  return { name: priceName, unit, byPrefix: published, ...(otherwise === undefined ? {} : { otherwise }) };
}

/** A later group's rate replaces an earlier one's. */
export function table(priceName: TablePrice, unit: string, groups: readonly RateGroup[]): RateTable {
  const published = new Map<string, PrefixPrice>();
  for (const { rates, asOf, source } of groups) {
    for (const [prefix, micros] of Object.entries(rates)) published.set(prefix, { prefix, micros, asOf, source });
  }
  const rates = new Map([...published].map(([prefix, { micros }]) => [prefix, micros]));
  return { priceName, unit, rates, published: [...published.values()] };
}

function without(prefixes: string): Record<string, undefined> {
  return Object.fromEntries(prefixes.split(" ").map((prefix) => [prefix, undefined]));
}
