import type { Micros } from "../core/money.ts";

/**
 * What one outbound SMS segment costs at most by destination, in micro-dollars, as of 2026-11.
 *
 * `+1`: $0.0083 a segment (twilio.com price list read by third parties, October 2026) and up to $0.0062 of carrier fee.
 * Other countries: Twilio's list is per network and account (pricing.twilio.com/v1/Messaging/Countries/{ISO}), so these
 * are ceilings in two steps, set well above what was reported for any network. An operator writes the account's own as
 * `twilio.sms.+44` under `prices`. A destination that is not here has no ceiling: the call is `cost_unknown`.
 */
const SEGMENT_MICROS: readonly (readonly [Micros, string])[] = [
  [14_500n, "+1"],
  [150_000n, "+44 +45 +46 +47 +48 +351 +61 +65 +81 +91 +52 +55"],
  [200_000n, "+30 +31 +32 +33 +34 +36 +39 +41 +43 +49 +64 +353 +358 +420 +852"],
];

/**
 * Area codes inside +1 and +44 that are other countries with rates of their own, several times as high: the Caribbean
 * and the US territories; Guernsey, Jersey and the Isle of Man.
 */
const WITHOUT_RATE = (
  "+1242 +1246 +1264 +1268 +1284 +1340 +1345 +1441 +1473 +1649 +1658 +1664 +1670 +1671 +1684 +1721 +1758 +1767 +1784 " +
  "+1787 +1809 +1829 +1849 +1868 +1869 +1876 +1939 +1900 " +
  "+441481 +441534 +441624 +447509 +447624 +447700 +447781 +447797 +447829 +447839 +447911 +447924 +447937"
).split(" ");

const SMS_RATES: ReadonlyMap<string, Micros | undefined> = new Map([
  ...SEGMENT_MICROS.flatMap(([micros, prefixes]) => prefixes.split(" ").map((prefix) => [prefix, micros] as const)),
  ...WITHOUT_RATE.map((prefix) => [prefix, undefined] as const),
]);

/** One MMS, whatever its text: $0.022 within the US and Canada and up to $0.013 of carrier fee. Elsewhere there is none. */
const MMS_RATES: ReadonlyMap<string, Micros | undefined> = new Map([
  ["+1", 35_000n] as const,
  ...WITHOUT_RATE.map((prefix) => [prefix, undefined] as const),
]);

/** Price of one segment to `to` (E.164): the longest prefix decides, at equal length the operator's `twilio.sms.+…`. */
export function segmentRate(to: string, prices: ReadonlyMap<string, Micros>): Micros | undefined {
  return longestPrefix(to, SMS_RATES, "twilio.sms.", prices);
}

/** Price of one MMS to `to`: as `segmentRate`, by `twilio.mms.+…`. */
export function mmsRate(to: string, prices: ReadonlyMap<string, Micros>): Micros | undefined {
  return longestPrefix(to, MMS_RATES, "twilio.mms.", prices);
}

function longestPrefix(
  to: string,
  rates: ReadonlyMap<string, Micros | undefined>,
  priceName: string,
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
