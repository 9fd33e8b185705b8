import type { EpochMs } from "../core/window.ts";
import type { HoldDecision } from "./entry.ts";

/** Begins the name of a slot of an Idempotency-Key. */
export const KEY_SLOT = "key:";

/** What makes a later call a repeat of this one: the same name, under the same vault key, within its life. */
export interface RepeatSlot {
  /** `key:<hash of the Idempotency-Key>`, or `same:<hash of the request>` under a `dedup_window`. */
  readonly name: string;
  readonly lifeMs: number;
}

/** How a call wants to be told from its repeats. */
export interface RepeatTerms {
  /** In the order in which they answer. */
  readonly slots: readonly RepeatSlot[];
  /** Of method, path, query and body: a repeat with another one is a mistake of the agent. */
  readonly requestHash: string;
  /** The idempotency key that the vendor gets; null where the vendor would do a repeat again. */
  readonly vendorKey: string | null;
}

/** What became of the first call. */
export interface RecordedCall {
  readonly requestHash: string;
  readonly state: "in_flight" | "answered" | "unknown";
  /** The newest call that was sent for it. */
  readonly callId: string;
  /** The call that holds the money. */
  readonly heldBy: string;
  readonly vendorKey: string | null;
  /** Set where the state is `answered`. */
  readonly answer: RecordedAnswer | null;
  readonly expiresAt: EpochMs;
}

export interface RecordedAnswer {
  readonly status: number;
  /** Sealed by the proxy: the store cannot read it. */
  readonly sealed: Uint8Array;
}

/** What an ended call leaves for its repeats: its answer, a free place for another try, or an outcome nobody knows. */
export type RepeatOutcome = RecordedAnswer | "free" | "unknown";

/** Recorded calls by `repeatKey`, as far as a batch asks for them. */
export type RecordedCalls = Map<string, RecordedCall>;

export function repeatKey(vaultKeyId: string, slotName: string): string {
  return `${vaultKeyId} ${slotName}`;
}

/** The records that a call runs into, in the order of its slots; none where it is the first of its kind. */
function liveRecords(
  records: RecordedCalls,
  vaultKeyId: string,
  { slots }: RepeatTerms,
  now: EpochMs,
): readonly RecordedCall[] {
  return slots.flatMap(({ name }) => {
    const record = records.get(repeatKey(vaultKeyId, name));
    return record && record.expiresAt > now ? [record] : [];
  });
}

/**
 * Marks the slots of a call as taken by it, so that its repeats, also those of the same batch, find it. A slot that
 * another call holds stays that one's: its answer is its own.
 */
export function recordCall(
  records: RecordedCalls,
  vaultKeyId: string,
  terms: RepeatTerms,
  record: Pick<RecordedCall, "callId" | "heldBy" | "vendorKey">,
  now: EpochMs,
): void {
  const live = liveRecords(records, vaultKeyId, terms, now);
  const sameMoney = live.filter(({ heldBy }) => heldBy === record.heldBy);
  // A repeat that looks the outcome up does not make the record live longer than the vendor remembers the key.
  const endsAt = Math.min(...sameMoney.map(({ expiresAt }) => expiresAt));
  for (const { name, lifeMs } of terms.slots) {
    const key = repeatKey(vaultKeyId, name);
    const known = records.get(key);
    const isLive = known !== undefined && known.expiresAt > now;
    if (isLive && known.heldBy !== record.heldBy) continue;
    const expiresAt = isLive ? known.expiresAt : Math.min(now + lifeMs, endsAt);
    records.set(key, { ...record, requestHash: terms.requestHash, state: "in_flight", answer: null, expiresAt });
  }
}

/**
 * A repeat that is answered by one of its slots has used the others, too: its Idempotency-Key has this answer from now on,
 * also when the `dedup_window` is over, and is a mismatch with any other request.
 */
function shareAnswer(
  records: RecordedCalls,
  vaultKeyId: string,
  terms: RepeatTerms,
  answered: RecordedCall,
  now: EpochMs,
): void {
  for (const { name, lifeMs } of terms.slots) {
    const key = repeatKey(vaultKeyId, name);
    const known = records.get(key);
    // A window says for how long the first call counts; a repeat does not begin it anew.
    if (!name.startsWith(KEY_SLOT) || (known && known.expiresAt > now)) continue;
    records.set(key, { ...answered, expiresAt: now + lifeMs });
  }
}

/**
 * What a call gets that repeats an earlier one; undefined where it repeats none. It never takes a second hold: it gets
 * the recorded answer, or, where the outcome is not known and the vendor itself tells repeats by their idempotency key,
 * is sent again under the first one's hold to find it out.
 */
export function decideRepeat(
  records: RecordedCalls,
  vaultKeyId: string,
  terms: RepeatTerms,
  now: EpochMs,
): HoldDecision | undefined {
  const [record] = liveRecords(records, vaultKeyId, terms, now);
  if (!record) return undefined;
  const refuse = (code: "idempotency_mismatch" | "idempotency_in_progress", rule: string): HoldDecision => {
    return { admitted: false, code, rule, budget: undefined, reason: null };
  };
  if (record.requestHash !== terms.requestHash) return refuse("idempotency_mismatch", "idempotency");
  if (record.answer) {
    shareAnswer(records, vaultKeyId, terms, record, now);
    return { admitted: false, code: "replayed", answer: record.answer, heldBy: record.heldBy };
  }
  if (record.state === "in_flight") return refuse("idempotency_in_progress", "idempotency");
  if (record.vendorKey === null) return refuse("idempotency_in_progress", "outcome_unknown");
  const { heldBy, vendorKey } = record;
  return { admitted: true, charges: [], tightest: undefined, resumes: { callId: heldBy, vendorKey } };
}
