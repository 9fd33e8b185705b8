import type { EpochMs } from "../core/window.ts";
import { autoRevokeRules } from "../policy/auto-revoke.ts";
import type { PolicyDocument } from "../policy/policy.ts";
import type { TallyKind } from "../store/alert-queue.ts";
import type { Store, VaultKeyRecord } from "../store/store.ts";

export const HOUR_MS = 3_600_000;

export const BASELINE = {
  /** The mean is that of so many hours before. */
  historyHours: 168,
  /** Hours in which keys of the family called anything; with fewer no mean means anything. */
  keyHoursMin: 24n,
  /** Fewer calls in an hour than one a minute are no stuck loop, whatever the mean is. */
  callsMin: 60n,
} as const;

/** Slots of a subject that begin at `from` or later. */
export type ReadSlots = (kind: TallyKind, subject: string, from: EpochMs) => Promise<ReadonlyMap<EpochMs, bigint>>;

/** The calls of a family's keys before an hour, and in how many hours of keys they were made. */
export interface Baseline {
  readonly calls: bigint;
  /** Too few for a mean where they are under `BASELINE.keyHoursMin`. */
  readonly keyHours: bigint;
}

/** The keys whose mean hour a key is measured by: those of the same template with the same rule, or itself alone. */
export function familyOf({ id, template }: Pick<VaultKeyRecord, "id" | "template">): string {
  return template === null ? `key:${id}` : `template:${template}`;
}

export async function baselineBefore(slots: ReadSlots, family: string, hour: EpochMs): Promise<Baseline> {
  const from = hour - BASELINE.historyHours * HOUR_MS;
  const [calls, keyHours] = await Promise.all([
    slots("family_calls", family, from),
    slots("family_hours", family, from),
  ]);
  return { calls: sumBefore(hour, calls), keyHours: sumBefore(hour, keyHours) };
}

function sumBefore(hour: EpochMs, slots: ReadonlyMap<EpochMs, bigint>): bigint {
  return [...slots].reduce((sum, [slot, amount]) => (slot < hour ? sum + amount : sum), 0n);
}

/** Calls of a mean hour as people read it: `118.42`; null where there is too little history. */
export function meanText({ calls, keyHours }: Baseline): string | null {
  return keyHours < BASELINE.keyHoursMin ? null : (Number((calls * 100n) / keyHours) / 100).toFixed(2);
}

/** One rule of `auto_revoke`, and how near it is. */
export interface AutoRevokeView {
  readonly rule: string;
  /** A count; of `requests_over_baseline` how many times the baseline. */
  readonly limit: number;
  /** Null of the rule that goes by the hour of the clock. */
  readonly within: string | null;
  /** What counts now, as far as rows have been looked at: about a second ago. */
  readonly counted: number;
  /** Calls of a mean hour; null of the other rules, and where there is too little history for one. */
  readonly baseline: string | null;
}

/** The rules of a key's policy with what counts towards them now; of a template, which has no key, nothing does. */
export async function autoRevokeViews(
  store: Pick<Store, "alertTallies">,
  policy: PolicyDocument,
  key: Pick<VaultKeyRecord, "id" | "template"> | undefined,
  now: EpochMs,
): Promise<readonly AutoRevokeView[]> {
  const slots: ReadSlots = async (kind, subject, from) => {
    const kept = key ? await store.alertTallies(kind, subject, from) : [];
    return new Map(kept.map(({ slot, amount }) => [slot, amount]));
  };
  const id = key?.id ?? "";
  return Promise.all(
    autoRevokeRules(policy["auto_revoke"]).map(async ({ name: rule, limit, within = null, withinMs }) => {
      if (rule !== "requests_over_baseline") {
        const counted = [...(await slots(rule, id, now - withinMs + 1)).values()].reduce((sum, one) => sum + one, 0n);
        return { rule, limit, within, counted: Number(counted), baseline: null };
      }
      const hour = now - (now % HOUR_MS);
      const counted = (await slots("calls", id, hour)).get(hour) ?? 0n;
      const baseline = key ? meanText(await baselineBefore(slots, familyOf(key), hour)) : null;
      return { rule, limit, within, counted: Number(counted), baseline };
    }),
  );
}

/** `10 cap_hits within 1h (3 so far)`, `5x requests_over_baseline (40 this hour, the mean hour has 118.42)`. */
export function autoRevokeText({ rule, limit, within, counted, baseline }: AutoRevokeView): string {
  if (within !== null) return `${limit} ${rule} within ${within} (${counted} so far)`;
  const mean = baseline === null ? "too little history for a mean hour" : `the mean hour has ${baseline}`;
  return `${limit}x ${rule} (${counted} this hour, ${mean})`;
}
