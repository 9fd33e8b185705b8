import { divideCeil, formatUsd, MICROS_MAX, type Micros } from "../../core/money.ts";
import { type EpochMs, formatDuration } from "../../core/window.ts";
import { isoTime } from "../key-view.ts";
import type { SuggestRequest } from "../policy-verbs.ts";
import { CUSTOMERS_MAX, kindCap, type RunFacts } from "./run-facts.ts";

type Terms = Pick<SuggestRequest, "run" | "margin_percent">;

/** The template as YAML, with what each of its fields is based on; for several vendors where there are facts of several. */
export function suggestionText(facts: readonly RunFacts[], terms: Terms): string {
  const [first, ...others] = facts;
  const run = wholeRun(facts);
  const description = `description: ${JSON.stringify(`What run ${inert(terms.run)} did from ${day(run.firstAt)} on`)}`;
  const blocks =
    others.length === 0
      ? [[description, `vendor: ${first!.vendor}`], ...vendorBlocks(first!, terms)]
      : [[description], jointBlock(facts, terms), ["vendors:", ...facts.flatMap((one) => nested(one, terms))]];
  return `${[headComment(run, terms), ...blocks, expiryBlock(run, terms)]
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

function vendorBlocks(facts: RunFacts, terms: Terms): readonly (readonly string[])[] {
  return [moneyBlock(facts, terms), sendsBlock(facts, terms), customersBlock(facts), endpointsBlock(facts)];
}

/** A vendor's part of a template for several. */
function nested(facts: RunFacts, terms: Terms): readonly string[] {
  const lines = vendorBlocks(facts, terms).flatMap((block) => [...block]);
  return [`  ${facts.vendor}:`, ...lines.map((line) => `    ${line}`)];
}

function jointBlock(facts: readonly RunFacts[], { margin_percent }: Terms): string[] {
  const peaks = facts.flatMap(({ peaks }) => peaks.get("daily_usd_cap_total") ?? []);
  if (peaks.length === 0) return [];
  const most = peaks.reduce((a, b) => (b.amount > a.amount ? b : a));
  return [
    `# The most that one key had spent and reserved in a UTC day, at all vendors: $${formatUsd(most.amount)}, at ${time(most.at)}.`,
    `daily_usd_cap_total: ${capped(most.amount, margin_percent)}`,
  ];
}

/** What the run did, whatever the vendor. */
type WholeRun = Pick<RunFacts, "calls" | "firstAt" | "lastAt" | "refused" | "unknown" | "leftOut" | "lives">;

function wholeRun(facts: readonly RunFacts[]): WholeRun {
  const [first, ...others] = facts;
  if (others.length === 0) return first!;
  const lives = new Map<string, { readonly from: EpochMs; to: EpochMs }>();
  const refused = new Map<string, number>();
  for (const one of facts) {
    for (const [verdict, count] of one.refused) refused.set(verdict, (refused.get(verdict) ?? 0) + count);
    for (const [key, { from, to }] of one.lives) {
      const known = lives.get(key) ?? { from, to };
      lives.set(key, { from: Math.min(known.from, from), to: Math.max(known.to, to) });
    }
  }
  return {
    calls: facts.reduce((sum, { calls }) => sum + calls, 0),
    firstAt: Math.min(...facts.map(({ firstAt }) => firstAt)),
    lastAt: Math.max(...facts.map(({ lastAt }) => lastAt)),
    refused,
    unknown: new Map(facts.flatMap(({ unknown }) => [...unknown])),
    leftOut: new Map(
      facts.flatMap(({ vendor, leftOut }) => [...leftOut].map(([line, of]) => [`${vendor} ${line}`, of])),
    ),
    lives,
  };
}

function headComment(facts: WholeRun, { run, margin_percent }: Terms): string[] {
  const { calls, lives, firstAt, lastAt, refused, unknown, leftOut } = facts;
  const refusals = [...refused].map(([verdict, count]) => `${verdict} ${count}`);
  const unknownMicros = [...unknown.values()].reduce((sum, micros) => sum + micros, 0n);
  return [
    `The tightest policy that would have allowed what run ${JSON.stringify(inert(run))} did: ${many(calls, "call")} with`,
    `${many(lives.size, "key")}, from ${time(firstAt)} to ${time(lastAt)} UTC. Amounts have a margin of ${margin_percent} %.`,
    "One run is not every run: before it is used, try it on more of them with `keybrake policy replay`.",
    "",
    refusals.length === 0 ? "No call was refused." : `Refused calls are not allowed for: ${refusals.join(", ")}.`,
    unknown.size === 0
      ? "No call has an unknown outcome."
      : `${many(unknown.size, "call")} of unknown outcome (in flight or unresolved) counted in full: $${formatUsd(unknownMicros)}.`,
    ...[...leftOut].map(
      ([line, { calls: count, why }]) => `Left out: ${inert(line)} (${many(count, "call")}): ${inert(why)}.`,
    ),
    "The audit holds no parameters, recipients, senders, accounts and currencies: add rules about them by hand.",
  ].map((line) => (line === "" ? "#" : `# ${line}`));
}

function moneyBlock(facts: RunFacts, { margin_percent }: Terms): string[] {
  const { peaks, dearest } = facts;
  const daily = peaks.get("daily_usd_cap");
  if (!daily || !dearest) {
    return ["# Nothing that was called could cost anything.", "daily_usd_cap: 0", "max_amount_per_call_usd: 0"];
  }
  const kinds = facts.kinds().map((kind) => [kind, peaks.get(kindCap(kind))!] as const);
  const kindLines = kinds.map(([kind, { amount, at }]) => {
    return `  ${kind}: { daily_usd: ${capped(amount, margin_percent)} } # $${formatUsd(amount)}, at ${time(at)}`;
  });
  return [
    `# The most that one key had spent and reserved in a UTC day: $${formatUsd(daily.amount)}, at ${time(daily.at)}.`,
    `daily_usd_cap: ${capped(daily.amount, margin_percent)}`,
    `# The dearest call could cost $${formatUsd(dearest.amount)}: ${inert(dearest.endpoint)}, at ${time(dearest.at)}.`,
    `max_amount_per_call_usd: ${capped(dearest.amount, margin_percent)}`,
    // With one kind of money the cap on all of it says the same.
    ...(kinds.length > 1 ? ["# The same for each kind of money by itself.", "caps:", ...kindLines] : []),
  ];
}

function sendsBlock({ peaks }: RunFacts, { margin_percent }: Terms): string[] {
  const peak = peaks.get("daily_send_cap");
  if (!peak) return [];
  return [
    `# The most that one key had sent in a UTC day: ${peak.amount}, at ${time(peak.at)}.`,
    `daily_send_cap: ${withMargin(peak.amount, margin_percent)}`,
  ];
}

function customersBlock({ customers }: RunFacts): string[] {
  if (!customers || customers.size === 0) return [];
  return [
    `# Every call that may cost named one of ${customers.size === 1 ? "this customer" : `these ${customers.size}`}; a list of more than ${CUSTOMERS_MAX} would not be made.`,
    "customers:",
    ...[...customers].sort().map((customer) => `  - ${JSON.stringify(customer)}`),
  ];
}

function endpointsBlock({ endpoints }: RunFacts): string[] {
  return [
    "# What was called, with * for ids.",
    "allowed_endpoints:",
    ...[...endpoints]
      .sort(([, a], [, b]) => b - a)
      .map(([text, calls]) => `  - ${plain(text)} # ${many(calls, "call")}`),
  ];
}

/** A plain scalar where nothing in it can mean something to YAML. */
function plain(text: string): string {
  return /^[A-Z]+ [A-Za-z0-9/_.*-]+$/.test(text) ? text : JSON.stringify(text);
}

function expiryBlock({ lives }: WholeRun, { margin_percent }: Terms): string[] {
  const longestMs = Math.max(...[...lives.values()].map(({ from, to }) => to - from));
  const withMarginMs = Math.ceil((longestMs * (100 + margin_percent)) / 100);
  return [
    `# From a key's first call to the end of its last: ${inWords(longestMs)} at the most.`,
    `expires_in: ${formatDuration(roundedUp(withMarginMs))}`,
  ];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** To what people would write: five minutes, an hour or a day more. */
function roundedUp(durationMs: number): number {
  const stepMs = durationMs <= HOUR_MS ? 5 * MINUTE_MS : durationMs <= DAY_MS ? HOUR_MS : DAY_MS;
  return Math.max(1, Math.ceil(durationMs / stepMs)) * stepMs;
}

function inWords(durationMs: number): string {
  const [unitMs, unit] =
    durationMs >= DAY_MS ? [DAY_MS, "d"] : durationMs >= HOUR_MS ? [HOUR_MS, "h"] : [MINUTE_MS, "min"];
  return durationMs < MINUTE_MS ? `${Math.ceil(durationMs / 1_000)} s` : `${(durationMs / unitMs).toFixed(1)} ${unit}`;
}

function withMargin(amount: bigint, marginPercent: number): bigint {
  return divideCeil(amount * BigInt(100 + marginPercent), 100n);
}

const CENT: Micros = 10_000n;

/** Rounded up to the cent: a cap below what was spent would refuse it. */
function capped(micros: Micros, marginPercent: number): string {
  const cents = divideCeil(withMargin(micros, marginPercent), CENT) * CENT;
  return formatUsd(cents < MICROS_MAX ? cents : MICROS_MAX);
}

/** Text of an agent's within the file: on one line, nothing that YAML refuses and nothing that would be an input. */
function inert(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\p{Co}\u2028\u2029\ufeff]/gu, "?").replaceAll("${", "$ {");
}

function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function time(at: EpochMs): string {
  return isoTime(at).slice(0, 19).replace("T", " ");
}

function day(at: EpochMs): string {
  return isoTime(at).slice(0, 10);
}
