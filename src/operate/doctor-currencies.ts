import type { Currency } from "../core/currency.ts";
import { formatUsd } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import { unratedCaps, unratedCurrencies } from "../policy/unrated.ts";
import { vendorPolicies } from "../policy/vendor-policies.ts";
import type { VaultKeyRecord } from "../store/store.ts";
import type { FindingView } from "./about.ts";
import type { ControlPlaneOptions } from "./options.ts";

type Finding = Omit<FindingView, "check">;
type Setting = Pick<ControlPlaneOptions, "config" | "clock" | "store">;

const DAY_MS = 86_400_000;
/** After so long a rate has moved by more than a cap should be wrong by. */
const RATE_AGE_DAYS_MAX = 30;
const KEYS_PER_READ = 1_000;

/** Rates that are old or of an unknown day, and active keys that count on one that is not there. */
export async function currencies({ config, clock, store }: Setting): Promise<readonly Finding[]> {
  const { currencyRates: rates, currencyRateDates: dates } = config;
  const now = clock.now();
  const findings = [...rates].flatMap(([currency, micros]) => {
    const asOf = dates.get(currency);
    return asOf === undefined ? [] : dateFindings(currency, formatUsd(micros), asOf, now);
  });
  const undated = [...rates.keys()].filter((currency) => !dates.has(currency));
  if (undated.length > 0) findings.push(undatedFinding(undated));
  findings.push(...(await unratedFindings({ config, clock, store })));
  if (findings.length > 0) return findings;
  const message =
    rates.size === 0
      ? "no currency but US dollars has a rate, and no active key needs one"
      : `the rates of ${[...rates.keys()].join(", ")} are of the last ${RATE_AGE_DAYS_MAX} days`;
  return [{ level: "ok", message, hint: null }];
}

function dateFindings(currency: Currency, usd: string, asOf: string, now: EpochMs): Finding[] {
  const days = Math.floor((now - Date.parse(`${asOf}T00:00:00Z`)) / DAY_MS);
  const hint = `look it up, and set currency_rates.${currency} with its as_of`;
  // A day ahead is today for who stands east of here.
  if (days < -1) {
    return [{ level: "warning", message: `the rate of ${currency}, $${usd}, is of a day to come: ${asOf}`, hint }];
  }
  if (days <= RATE_AGE_DAYS_MAX) return [];
  return [{ level: "warning", message: `the rate of ${currency}, $${usd}, is of ${asOf}, ${days} days ago`, hint }];
}

function undatedFinding(undated: readonly Currency[]): Finding {
  const message = `nobody has written down of which day these rates are: ${undated.join(", ")}`;
  const hint = `write them like currency_rates: { ${undated[0]}: { usd: …, as_of: YYYY-MM-DD } }`;
  return { level: "warning", message, hint };
}

async function unratedFindings({ config, clock, store }: Setting): Promise<readonly Finding[]> {
  const caps = new Map<Currency, string[]>();
  const allowed = new Map<Currency, string[]>();
  for await (const { id, policy } of activeKeys(store, clock.now())) {
    for (const part of vendorPolicies(policy)) {
      for (const { currency } of unratedCaps(part, config.currencyRates)) add(caps, currency, id);
      for (const { currency } of unratedCurrencies(part, config.currencyRates)) add(allowed, currency, id);
    }
  }
  return [
    ...[...caps].map(
      ([currency, ids]): Finding => ({
        level: "error",
        message: `${shown(ids)} a cap in ${currency}, which has no rate: the cap counts as $0.00`,
        hint: `set currency_rates.${currency}, or change the cap with \`keybrake key update\``,
      }),
    ),
    ...[...allowed].map(
      ([currency, ids]): Finding => ({
        level: "warning",
        message: `${shown(ids)} calls in ${currency} allowed, which has no rate: they are refused`,
        hint: `set currency_rates.${currency}`,
      }),
    ),
  ];
}

function add(ids: Map<Currency, string[]>, currency: Currency, id: string): void {
  const known = ids.get(currency) ?? [];
  if (!known.includes(id)) ids.set(currency, [...known, id]);
}

/** `vk_1 has` or `5 keys (vk_1, …) have`. */
function shown(ids: readonly string[]): string {
  return ids.length === 1 ? `${ids[0]} has` : `${ids.length} keys (${ids[0]}, …) have`;
}

async function* activeKeys(store: Setting["store"], activeAt: EpochMs): AsyncGenerator<VaultKeyRecord> {
  for (let before: string | undefined; ; ) {
    const filter = { activeAt, limit: KEYS_PER_READ, ...(before === undefined ? {} : { before }) };
    const keys = await store.listKeys(filter);
    yield* keys;
    if (keys.length < KEYS_PER_READ) return;
    before = keys.at(-1)!.id;
  }
}
