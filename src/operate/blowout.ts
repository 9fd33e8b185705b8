import { divideCeil, formatUsd, MICROS_PER_USD, type Micros, parseUsd } from "../core/money.ts";
import { nearestName } from "../core/nearest.ts";
import { Problem } from "../core/problem.ts";
import type { OperatorPrices } from "../vendors/operator-prices.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { knownVendor } from "./known-vendor.ts";
import { vendorPrices } from "./vendor-prices.ts";

export interface BlowoutRequest {
  readonly vendor: string;
  readonly callsPerMinute: number;
  readonly hours: number;
  /** Dollars that one call moves, as text; undefined where the vendor's price for it is meant. */
  readonly amountUsd?: string | undefined;
  /** A name of `keybrake vendor prices`, such as `twilio.voice.+1`. */
  readonly price?: string | undefined;
  /** Dollars a UTC day, as text; undefined where the cap of the vendor's own template is meant. */
  readonly capUsd?: string | undefined;
}

/** What a stuck loop costs, as keybrake.com/tools/blowout-calculator reckons it. Dollars are decimal text. */
export interface Blowout {
  readonly vendor: string;
  readonly calls_per_minute: number;
  readonly hours: number;
  readonly call_usd: string;
  /** What that figure is. */
  readonly call_is: string;
  readonly calls: number;
  readonly hour_usd: string;
  readonly total_usd: string;
  /** From the first call to the one that brings the sum to $100; null where calls cost nothing. */
  readonly seconds_to_100_usd: number | null;
  /** Null where there is no cap. */
  readonly capped: CappedBlowout | null;
}

export interface CappedBlowout {
  readonly cap_usd: string;
  readonly cap_is: string;
  readonly hour_usd: string;
  readonly total_usd: string;
  readonly saved_usd: string;
  /** Calls that go out over the whole time, and those that are refused. */
  readonly calls_sent: number;
  readonly calls_refused: number;
  /** From the first call to the first refused one; null where the cap stops nothing in a day. */
  readonly stopped_after_seconds: number | null;
}

interface Figure {
  readonly micros: Micros;
  readonly says: string;
}

/** What a call costs where nobody says: for Stripe the calculator's price of a product, since a call costs what it moves. */
const USUAL_AMOUNT: ReadonlyMap<string, string> = new Map([["stripe", "15"]]);
/** The price that stands for a vendor with several. */
const USUAL_PRICE: ReadonlyMap<string, string> = new Map([["twilio", "twilio.sms.+1"]]);
/** The daily caps of the templates that come with Keybrake: billing, notifications-sms, email. */
const TEMPLATE_CAP: ReadonlyMap<string, readonly [usd: string, template: string]> = new Map([
  ["stripe", ["500", "billing"]],
  ["twilio", ["25", "notifications-sms"]],
  ["resend", ["5", "email"]],
]);

const CALLS_MAX = Number.MAX_SAFE_INTEGER;
const SECONDS_PER_MINUTE = 60;
const MINUTES_PER_HOUR = 60;
const HOURS_PER_DAY = 24;

/**
 * Calls per minute, times minutes, times what one costs; and beside it what a daily cap lets through, which refuses the
 * call that would take the sum over it. The loop is taken to begin as a UTC day does: one that crosses midnight UTC meets
 * a new day's cap.
 * @throws Problem `not_found` for a vendor or price that there is not, `usage` where nothing says what a call costs.
 */
export function blowout(vendors: readonly Vendor[], prices: OperatorPrices, request: BlowoutRequest): Blowout {
  const call = callFigure(vendors, prices, request);
  const cap = capFigure(request);
  const calls = callsIn(request, request.hours);
  const hour = callsIn(request, 1);
  return {
    vendor: request.vendor,
    calls_per_minute: request.callsPerMinute,
    hours: request.hours,
    call_usd: formatUsd(call.micros),
    call_is: call.says,
    calls,
    hour_usd: formatUsd(call.micros * BigInt(hour)),
    total_usd: formatUsd(call.micros * BigInt(calls)),
    seconds_to_100_usd: secondsTo100(call.micros, request.callsPerMinute),
    capped: cap === undefined ? null : capped(request, call.micros, cap),
  };
}

function callsIn({ callsPerMinute }: BlowoutRequest, hours: number): number {
  return callsPerMinute * MINUTES_PER_HOUR * hours;
}

/** The first call is at 0 s. */
function secondsTo100(callMicros: Micros, callsPerMinute: number): number | null {
  if (callMicros === 0n) return null;
  return secondsOf(Number(divideCeil(100n * MICROS_PER_USD, callMicros)) - 1, callsPerMinute);
}

/** When the call with this number is made, the first being 0. */
function secondsOf(index: number, callsPerMinute: number): number {
  return Math.round((index * SECONDS_PER_MINUTE * 10) / callsPerMinute) / 10;
}

function capped(request: BlowoutRequest, callMicros: Micros, cap: Figure): CappedBlowout {
  const { hours, callsPerMinute } = request;
  const allowedADay = callMicros === 0n ? CALLS_MAX : Math.min(CALLS_MAX, Number(cap.micros / callMicros));
  const sentIn = (span: number) => Math.min(callsIn(request, span), allowedADay);
  const rest = hours % HOURS_PER_DAY;
  const sent = Math.floor(hours / HOURS_PER_DAY) * sentIn(HOURS_PER_DAY) + sentIn(rest);
  const calls = callsIn(request, hours);
  const isStopped = allowedADay < callsIn(request, Math.min(hours, HOURS_PER_DAY));
  return {
    cap_usd: formatUsd(cap.micros),
    cap_is: cap.says,
    hour_usd: formatUsd(callMicros * BigInt(sentIn(1))),
    total_usd: formatUsd(callMicros * BigInt(sent)),
    saved_usd: formatUsd(callMicros * BigInt(calls - sent)),
    calls_sent: sent,
    calls_refused: calls - sent,
    stopped_after_seconds: isStopped ? secondsOf(allowedADay, callsPerMinute) : null,
  };
}

function capFigure({ vendor, capUsd }: BlowoutRequest): Figure | undefined {
  if (capUsd !== undefined) return { micros: usdOf("--cap-usd", capUsd), says: "given" };
  const known = TEMPLATE_CAP.get(vendor);
  return known && { micros: parseUsd(known[0]), says: `of the template ${known[1]}` };
}

function callFigure(vendors: readonly Vendor[], prices: OperatorPrices, request: BlowoutRequest): Figure {
  const { vendor, amountUsd, price = USUAL_PRICE.get(vendor) } = request;
  const lines = pricesOf(vendors, prices, vendor);
  if (amountUsd !== undefined) return { micros: usdOf("--amount-usd", amountUsd), says: "given" };
  const usual = USUAL_AMOUNT.get(vendor);
  if (usual !== undefined && request.price === undefined) {
    return { micros: parseUsd(usual), says: "a usual price of a product; --amount-usd has your own" };
  }
  const names = [...lines.keys()];
  const chosen = price ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined) throw nothingSaysWhat(vendor, names);
  const line = lines.get(chosen);
  if (line !== undefined) return line;
  const nearest = nearestName(chosen, names);
  throw new Problem(
    "not_found",
    `${vendor} has no price ${JSON.stringify(chosen)} with a figure`,
    nearest ? `did you mean ${nearest}?` : `\`keybrake vendor prices ${vendor} --all\` lists them`,
  );
}

/** Every price of the vendor that has a figure, by its name. */
function pricesOf(vendors: readonly Vendor[], prices: OperatorPrices, name: string): ReadonlyMap<string, Figure> {
  knownVendor(vendors, name);
  const figures = new Map<string, Figure>();
  for (const { name: price, usd, unit } of vendorPrices(vendors, prices, name, true)) {
    if (usd !== null) figures.set(price, { micros: parseUsd(usd), says: `${price}: ${unit}` });
  }
  return figures;
}

function nothingSaysWhat(vendor: string, names: readonly string[]): Problem {
  return names.length === 0
    ? new Problem("usage", `a call to ${vendor} costs what it moves`, "say how much that is with --amount-usd")
    : new Problem(
        "usage",
        `${vendor} has several prices`,
        `choose one with --price (\`keybrake vendor prices ${vendor}\` lists them), or say the dollars with --amount-usd`,
      );
}

function usdOf(flag: string, text: string): Micros {
  try {
    return parseUsd(text);
  } catch (error) {
    throw new Problem("usage", `${flag}: ${(error as Error).message}`, "write dollars like 15 or 0.0079");
  }
}
