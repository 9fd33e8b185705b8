import fc from "fast-check";
import { timeOrderedId } from "../../src/core/id.ts";
import type { EpochMs } from "../../src/core/window.ts";
import type { HoldReceipt, LedgerEntry, LedgerResult } from "../../src/ledger/entry.ts";
import type { Store, VaultKeyRecord } from "../../src/store/store.ts";
import { NOON } from "../ledger/entries.ts";
import { keyRecord } from "../store/records.ts";
import type { OpenStore } from "../store/store-under-test.ts";
import { openTemporaryStore } from "../store/temporary-database.ts";
import { InvariantBroken } from "./invariant.ts";
import { pickOf } from "./ledger-process.ts";
import { holdRequest, type KnownKey, knownKey, policyOf, resolveRequest } from "./requests.ts";
import type { BrakeScope, Entry, Step } from "./steps.ts";

/** One part of a history: entries of the same moment, which may be put into batches in any way, or something else. */
type Part =
  | { readonly kind: "entries"; readonly entries: readonly LedgerEntry[]; readonly now: EpochMs }
  | { readonly kind: "verb"; readonly verb: (store: Store) => Promise<unknown> };

/** How a history is run. */
export interface Batching {
  /** Sizes of batches, taken in turn. */
  readonly sizes: readonly number[];
  /** Whether a batch is made by another handle, taken in turn. */
  readonly reopens: readonly boolean[];
}

const ONE_BY_ONE: Batching = { sizes: [1], reopens: [false] };

export const batchingArbitrary: fc.Arbitrary<Batching> = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
  reopens: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
});

const OWNERS = ["host:0:1", "host:1:1"] as const;
const LEASE_MS = 15_000;

/**
 * Makes a history out of steps without asking any store: every id, version and amount is settled beforehand, so that two
 * stores are asked the very same. The second process looks at a key only after each of its batches, so that some of its
 * calls are judged by an old policy.
 */
class HistoryPlan {
  readonly #keys: VaultKeyRecord[] = [];
  readonly #known = [new Map<string, KnownKey>(), new Map<string, KnownKey>()] as const;
  readonly #calls: { readonly id: string; readonly exposure: bigint }[] = [];
  /** Every scope that was ever braked: to release one that is not engaged has an answer, too. */
  readonly #brakes: BrakeScope[] = [];
  #now: EpochMs = NOON;

  parts(steps: readonly Step[]): readonly Part[] {
    return steps.flatMap((step) => this.#part(step) ?? []);
  }

  #part(step: Step): Part | undefined {
    const now = this.#now;
    switch (step.do) {
      case "issue": {
        const { vendor, label, lifeMs, caps } = step;
        const id = timeOrderedId("vk", now);
        const expiresAt = now + lifeMs;
        const key = keyRecord({
          id,
          vendors: [vendor],
          label,
          policy: policyOf(vendor, caps),
          createdAt: now,
          expiresAt,
        });
        this.#keys.push(key);
        return verb((store) => store.insertKey(key, false));
      }
      case "change":
      case "expire":
        return this.#change(step);
      case "revoke": {
        const key = pickOf(this.#keys, step.key);
        return key && verb((store) => store.revokeKeys({ ids: [key.id] }, "stop", now));
      }
      case "brake": {
        this.#brakes.push(step.scope);
        const brake = { id: timeOrderedId("brk", now), ...scopeOf(step.scope), reason: "stop", engagedAt: now };
        return verb((store) => store.engageBrake(brake));
      }
      case "unbrake": {
        const { vendor, labelPrefix } = scopeOf(pickOf(this.#brakes, step.brake) ?? "everything");
        return verb((store) => store.releaseBrake(vendor, labelPrefix, now));
      }
      case "batch":
        return { kind: "entries", entries: this.#entries(step.process, step.entries), now };
      case "upkeep": {
        const lease = { owner: OWNERS[step.process]!, until: now + LEASE_MS };
        return verb((store) => store.renewLease(lease).then(() => store.sweepAbandonedHolds(now)));
      }
      case "clock":
        this.#now += step.byMs;
        return undefined;
      default:
        return undefined;
    }
  }

  #change(step: Extract<Step, { do: "change" | "expire" }>): Part | undefined {
    const index = step.key % Math.max(this.#keys.length, 1);
    const key = this.#keys[index];
    if (!key) return undefined;
    const policy = step.do === "change" ? policyOf(key.vendors[0]!, step.caps) : key.policy;
    const expiresAt = step.do === "expire" ? this.#now : key.expiresAt;
    this.#keys[index] = { ...key, policy, expiresAt, version: key.version + 1 };
    return verb((store) => store.updateKey(key.id, { policy, expiresAt, fromVersion: key.version }));
  }

  #entries(process: number, entries: readonly Entry[]): readonly LedgerEntry[] {
    const known = this.#known[process]!;
    if (process === 0) known.clear();
    const made: LedgerEntry[] = [];
    for (const entry of entries) {
      if (entry.kind === "call") {
        const key = pickOf(this.#keys, entry.key);
        if (!key) continue;
        known.set(key.id, known.get(key.id) ?? knownKey(key));
        const request = holdRequest(entry, known.get(key.id)!, OWNERS[process]!, this.#now);
        this.#calls.push({ id: request.facts.id, exposure: request.exposureMicros });
        made.push(request);
      } else {
        const call = pickOf(this.#calls, entry.call);
        if (call) made.push(resolveRequest(entry, call, undefined, this.#now));
      }
    }
    for (const key of this.#keys) known.set(key.id, knownKey(key));
    return made;
  }
}

function verb(ask: (store: Store) => Promise<unknown>): Part {
  return { kind: "verb", verb: ask };
}

function scopeOf(scope: BrakeScope) {
  return { vendor: scope === "vendor" ? "stripe" : null, labelPrefix: scope === "label" ? "ray/" : null };
}

/**
 * Every answer that a store of its own gives to a history, and what stands in its books at the end, as comparable text.
 * @param replicas how many handles there may be; another one is a new one until there are so many, and then the next.
 */
async function answersOf(
  open: OpenStore,
  parts: readonly Part[],
  batching: Batching,
  replicas = Number.POSITIVE_INFINITY,
): Promise<readonly string[]> {
  const subject = await open();
  try {
    const answers: string[] = [];
    const receipts = new Map<string, HoldReceipt>();
    const handles = [subject.store];
    let handle = subject.store;
    let turn = 0;
    for (const part of parts) {
      if (part.kind === "verb") {
        answers.push(text(await part.verb(handle)));
        continue;
      }
      for (let from = 0; from < part.entries.length; turn++) {
        const size = batching.sizes[turn % batching.sizes.length]!;
        const batch = part.entries.slice(from, from + size).map((entry) => withReceipt(entry, receipts));
        if (batching.reopens[turn % batching.reopens.length]) {
          if (handles.length < replicas) handles.push(await subject.reopen());
          handle = handles[(handles.indexOf(handle) + 1) % handles.length]!;
        }
        const results = await handle.apply(batch, part.now);
        for (const [index, entry] of batch.entries()) answers.push(answerOf(entry, results[index]!, receipts));
        from += size;
      }
    }
    return [...answers, ...(await booksOf(handle))];
  } finally {
    await subject.close();
  }
}

/**
 * Whatever the store and the batches: the answers are those of SQLite when it is asked for one thing at a time.
 * @throws InvariantBroken naming the first one that differs.
 */
export async function compareStores(
  open: OpenStore,
  steps: readonly Step[],
  batching: Batching,
  replicas?: number,
): Promise<void> {
  const parts = new HistoryPlan().parts(steps);
  const wanted = await answersOf(openTemporaryStore, parts, ONE_BY_ONE);
  const got = await answersOf(open, parts, batching, replicas);
  const index = wanted.findIndex((answer, at) => answer !== got[at]);
  if (index === -1 && wanted.length === got.length) return;
  throw new InvariantBroken(8, `answer ${index}: one by one ${wanted[index]}, in batches ${got[index]}`);
}

function withReceipt(entry: LedgerEntry, receipts: ReadonlyMap<string, HoldReceipt>): LedgerEntry {
  if (entry.type !== "resolve") return entry;
  const receipt = receipts.get(entry.callId);
  return receipt ? { ...entry, receipt } : entry;
}

/** A receipt is the store's own business: it is handed back, and not compared. */
function answerOf(entry: LedgerEntry, result: LedgerResult, receipts: Map<string, HoldReceipt>): string {
  if (!("admitted" in result) || !result.admitted) return text(result);
  const { receipt, ...answer } = result;
  if (receipt && entry.type === "hold") receipts.set(entry.facts.id, receipt);
  return text(answer);
}

async function booksOf(store: Store): Promise<readonly string[]> {
  const { rows } = await store.queryAudit({}, { limit: 100_000 });
  const shown = rows.map(({ seq: _, id, prevHash: _p, hash: _h, refersTo, ...row }) =>
    text({ call: refersTo ?? id, isCorrection: refersTo !== null, ...row }),
  );
  const keys = await store.listKeys({ limit: 1_000 });
  const spends = await Promise.all(keys.map(({ id }) => spendOf(store, id)));
  return [...shown.sort(), ...spends.sort(), text(await store.auditTotals({})), text(await store.checkCounters())];
}

/** A counter that went up and down again may stand at nothing, or, where that was in one batch, not stand at all. */
async function spendOf(store: Store, id: string): Promise<string> {
  const spend = await store.keySpend(id);
  return text({ id, ...spend, counters: spend.counters.filter(({ used }) => used !== 0n) });
}

/** Fields in one order: that of a store's columns means nothing. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `${one}n` : ordered(one))) ?? "undefined";
}

function ordered(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
