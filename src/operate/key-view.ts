import type { Config } from "../config.ts";
import { formatUsd } from "../core/money.ts";
import { type EpochMs, isRolling, windowReset, windowStart } from "../core/window.ts";
import { type Budget, capsOfKey, counterId } from "../ledger/budget.ts";
import { compilePolicies } from "../policy/compile.ts";
import type { CounterUse, KeySpend } from "../store/key-spend.ts";
import type { VaultKeyRecord } from "../store/store.ts";
import type { BudgetView } from "./budget-verbs.ts";
import type { KeyView, SelfView, SpendView } from "./control-plane.ts";

/** What of the configuration a view shows: the address, and caps in other currencies by their rates. */
type Shown = Pick<Config, "publicUrl" | "currencyRates">;

/** A key without what it has spent, as it is shown right after it was issued. */
export function unspentKeyView(record: VaultKeyRecord, publicUrl: string, now: EpochMs): Omit<KeyView, "spend"> {
  return {
    id: record.id,
    key_id: record.id,
    hint: record.hint,
    ...vendorNames(record),
    ...baseUrls(record, publicUrl),
    agent_run_label: record.label,
    agent_name: record.agentName,
    template: record.template,
    status: keyStatus(record, now),
    created_at: isoTime(record.createdAt),
    expires_at: isoTime(record.expiresAt),
    revoked_at: record.revokedAt === null ? null : isoTime(record.revokedAt),
    revoke_reason: record.revokeReason,
    metadata: record.metadata,
    policy: record.policy,
  };
}

export function keyView(record: VaultKeyRecord, spend: KeySpend, config: Shown, now: EpochMs): KeyView {
  return { ...unspentKeyView(record, config.publicUrl, now), spend: spendView(record, spend, config, now) };
}

/** What the bearer of a key may know of it: nothing about other keys, tokens, or who issued it. */
export function selfView(
  record: VaultKeyRecord,
  spend: KeySpend,
  config: Shown,
  now: EpochMs,
): Omit<SelfView, "shared_budgets" | "auto_revoke"> {
  return {
    key_id: record.id,
    ...vendorNames(record),
    agent_run_label: record.label,
    status: keyStatus(record, now),
    expires_at: isoTime(record.expiresAt),
    policy: record.policy,
    spend: spendView(record, spend, config, now),
  };
}

function vendorNames({ vendors }: VaultKeyRecord): Pick<KeyView, "vendor" | "vendors"> {
  return { vendor: onlyOne(vendors), vendors };
}

function baseUrls({ vendors }: VaultKeyRecord, publicUrl: string): Pick<KeyView, "base_url" | "base_urls"> {
  const base_urls = Object.fromEntries(vendors.map((vendor) => [vendor, baseUrl(publicUrl, vendor)]));
  return { base_url: onlyOne(Object.values(base_urls)), base_urls };
}

/** Where an agent sends its calls to a vendor. */
export function baseUrl(publicUrl: string, vendor: string): string {
  return `${publicUrl}/${vendor}`;
}

function onlyOne(values: readonly string[]): string | null {
  return values.length === 1 ? values[0]! : null;
}

/** Revoked counts before expired: it is what somebody decided. */
export function keyStatus(record: VaultKeyRecord, now: EpochMs): KeyView["status"] {
  if (record.revokedAt !== null) return "revoked";
  return record.expiresAt <= now ? "expired" : "active";
}

/** The key's budgets in the window that `now` falls in. */
export function budgetViews(
  record: VaultKeyRecord,
  spend: KeySpend,
  { currencyRates }: Pick<Config, "currencyRates">,
  now: EpochMs,
): readonly BudgetView[] {
  return capsOfKey(record.id, compilePolicies(record.policy).values(), currencyRates).map((budget) =>
    budgetView(budget, useOf(record.id, spend, budget, now), now),
  );
}

/** What `spend` says of a budget of the key in the window that `now` falls in; undefined where nothing is used. */
export function useOf(
  keyId: string,
  { counters }: KeySpend,
  { id, window }: Budget,
  now: EpochMs,
): CounterUse | undefined {
  const start = windowStart(window, now);
  return counters.find(({ name, windowStart: at }) => {
    return counterId(keyId, name) === id && (at === start || isRolling(window));
  });
}

export function budgetView(
  { name, unit, cap, window }: Budget,
  use: Pick<CounterUse, "used" | "freesAt"> | undefined,
  now: EpochMs,
): BudgetView {
  const used = use?.used ?? 0n;
  const amount = (value: bigint) => (unit === "usd" ? formatUsd(value) : String(value));
  const resetAt = isRolling(window) ? use?.freesAt : windowReset(window, windowStart(window, now));
  return {
    budget: name,
    unit,
    window,
    cap: amount(cap),
    used: amount(used),
    remaining: amount(used < cap ? cap - used : 0n),
    reset_at: resetAt === undefined ? null : isoTime(resetAt),
  };
}

export function isoTime(at: EpochMs): string {
  return new Date(at).toISOString();
}

function spendView(record: VaultKeyRecord, spend: KeySpend, config: Shown, now: EpochMs): SpendView {
  return {
    settled_usd: formatUsd(spend.settledMicros),
    held_usd: formatUsd(spend.heldMicros),
    unresolved_usd: formatUsd(spend.unresolvedMicros),
    calls: spend.calls,
    refused: spend.refused,
    budgets: budgetViews(record, spend, config, now),
  };
}
