import { expect, test } from "bun:test";
import type { HoldRequest, ResolveRequest } from "../../../src/ledger/entry.ts";
import type { RepeatOutcome, RepeatSlot, RepeatTerms } from "../../../src/ledger/repeat.ts";
import type { Store } from "../../../src/store/store.ts";
import { DAY_MS, dailyCap, holdOf, NOON, resolutionOf, usd } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

const KEY: RepeatSlot = { name: "key:k1", lifeMs: DAY_MS };
const SAME: RepeatSlot = { name: "same:h1", lifeMs: 60_000 };
const ANSWER = { status: 201, sealed: new Uint8Array([0, 1, 2, 254, 255]) };

function termsOf(overrides: Partial<RepeatTerms> = {}): RepeatTerms {
  return { slots: [KEY], requestHash: "h1", vendorKey: "kb_first", ...overrides };
}

/** A call of 30 dollars under the key. */
function callOf(keyId: string, overrides: Parameters<typeof holdOf>[2] = {}): HoldRequest {
  return holdOf(keyId, 30, { repeat: termsOf(), ...overrides });
}

function endOf(call: HoldRequest, to: ResolveRequest["to"], outcome: RepeatOutcome): ResolveRequest {
  const { slots } = call.repeat!;
  return { ...resolutionOf(call.facts.id, to, to === "settled" ? 30 : 0), repeat: { slots, outcome } };
}

async function used(store: Store, keyId: string): Promise<bigint> {
  const { counters } = await store.keySpend(keyId);
  return counters.find(({ name }) => name === "daily_usd_cap")?.used ?? 0n;
}

async function states(store: Store): Promise<string[]> {
  const { rows } = await store.queryAudit({}, { limit: 50 });
  return rows.map(({ state, flag }) => (flag ? `${state} ${flag}` : state));
}

/** What a repeat gets after the first call has ended like this. */
const ENDS: readonly (readonly [string, ResolveRequest["to"], RepeatOutcome, object, bigint])[] = [
  ["its recorded answer", "settled", ANSWER, { code: "replayed", answer: ANSWER }, usd(30)],
  ["a decline that is kept", "released", { ...ANSWER, status: 402 }, { code: "replayed", answer: { status: 402 } }, 0n],
  ["a try of its own after a refusal", "released", "free", { admitted: true, charges: [{ amount: usd(30) }] }, usd(30)],
  ["a look-up", "unresolved", "unknown", { admitted: true, resumes: { vendorKey: "kb_first" } }, usd(30)],
];

export function repeatConformance(open: OpenStore): void {
  for (const [gets, to, outcome, expected, counted] of ENDS) {
    for (const where of ["the same handle", "another handle"]) {
      test(
        `a repeat on ${where} gets ${gets}`,
        within(open, async (subject) => {
          const { store } = subject;
          const { id: keyId } = await issue(store);
          const first = callOf(keyId);
          await store.apply([first], NOON);
          await store.apply([endOf(first, to, outcome)], NOON);
          const handle = where === "another handle" ? await subject.reopen() : store;
          expect(await handle.apply([callOf(keyId)], NOON)).toMatchObject([expected]);
          expect(await used(store, keyId)).toBe(counted);
          expect(await store.checkCounters()).toEqual([]);
        }),
      );
    }
  }

  test(
    "a repeat that is answered has a row of its own, settled at nothing, also at a full cap",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const budgets = [dailyCap(keyId, 30)];
      const first = callOf(keyId, { budgets });
      await store.apply([first, endOf(first, "settled", ANSWER)], NOON);
      const repeat = callOf(keyId, { budgets });
      expect(await store.apply([repeat], NOON + 7)).toMatchObject([{ code: "replayed", heldBy: first.facts.id }]);
      const { rows } = await store.queryAudit({}, { limit: 5 });
      expect(rows.at(-1)).toMatchObject({
        id: repeat.facts.id,
        refersTo: null,
        state: "settled",
        policyVerdict: "allowed",
        verdictRule: "idempotency",
        flag: `replays:${first.facts.id}`,
        exposureMicros: 0n,
        costMicros: 0n,
        costSource: "none",
        capUsageAfterMicros: null,
        httpStatus: 201,
      });
      const totals = { settledMicros: usd(30), heldMicros: 0n, unresolvedMicros: 0n, calls: 2 };
      expect(await store.auditTotals({})).toMatchObject({ ...totals, refused: 0 });
      expect(await store.keySpend(keyId)).toMatchObject(totals);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "a repeat waits for the first call, whichever handle sent that one, and takes nothing",
    within(open, async (subject) => {
      const { store } = subject;
      const { id: keyId } = await issue(store);
      await store.apply([callOf(keyId), callOf(keyId)], NOON);
      const other = await subject.reopen();
      const refused = { admitted: false, code: "idempotency_in_progress", rule: "idempotency" };
      expect(await other.apply([callOf(keyId)], NOON)).toMatchObject([refused]);
      expect(await states(store)).toEqual(["held", "refused", "refused"]);
      expect(await used(store, keyId)).toBe(usd(30));
    }),
  );

  test(
    "an end and a repeat in one batch meet in their order",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const first = callOf(keyId);
      await store.apply([first], NOON);
      const batch = [callOf(keyId), endOf(first, "settled", ANSWER), callOf(keyId)];
      expect(await store.apply(batch, NOON)).toMatchObject([
        { code: "idempotency_in_progress" },
        { resolved: true },
        { code: "replayed" },
      ]);
    }),
  );

  test(
    "a look-up that answers resolves the first call once, and later repeats get its answer",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const first = callOf(keyId);
      await store.apply([first, endOf(first, "unresolved", "unknown")], NOON);
      const lookUp = callOf(keyId, { budgets: [dailyCap(keyId, 30)] });
      expect(await store.apply([lookUp], NOON)).toMatchObject([{ resumes: { callId: first.facts.id } }]);
      expect(await used(store, keyId)).toBe(usd(30));
      const own = resolutionOf(lookUp.facts.id, "settled", 0, { flag: `looks_up:${first.facts.id}` });
      const known = resolutionOf(first.facts.id, "settled", 12, { costSource: "lookup", flag: "looked_up" });
      const ends = [{ ...own, repeat: { slots: [KEY], outcome: ANSWER } }, known, known];
      expect(await store.apply(ends, NOON)).toMatchObject([
        { resolved: true, costMicros: 0n },
        { resolved: true, costMicros: usd(12) },
        { resolved: false, why: "already_resolved" },
      ]);
      expect(await store.apply([callOf(keyId)], NOON)).toMatchObject([{ code: "replayed", answer: ANSWER }]);
      expect(await used(store, keyId)).toBe(usd(12));
      expect(await states(store)).toEqual([
        "unresolved",
        `settled looks_up:${first.facts.id}`,
        "settled looked_up",
        `settled replays:${first.facts.id}`,
      ]);
      expect(await store.auditTotals({})).toMatchObject({ settledMicros: usd(12), unresolvedMicros: 0n });
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "a look-up that finds out nothing leaves the first call as it was, for the next one",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const first = callOf(keyId);
      await store.apply([first, endOf(first, "unresolved", "unknown")], NOON);
      for (let attempt = 0; attempt < 3; attempt++) {
        const lookUp = callOf(keyId);
        expect(await store.apply([lookUp], NOON)).toMatchObject([{ resumes: { callId: first.facts.id } }]);
        await store.apply([endOf(lookUp, "released", "unknown")], NOON);
      }
      expect(await used(store, keyId)).toBe(usd(30));
      expect(await store.keySpend(keyId)).toMatchObject({ unresolvedMicros: usd(30) });
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  for (const crashed of ["the first call", "a look-up"]) {
    test(
      `a crash of ${crashed} leaves an unknown outcome, which a repeat looks up under the one hold`,
      within(open, async ({ store }) => {
        const { id: keyId } = await issue(store);
        const first = callOf(keyId);
        await store.apply([first], NOON);
        if (crashed === "a look-up") {
          await store.apply([endOf(first, "unresolved", "unknown"), callOf(keyId)], NOON);
        }
        const waiting = { code: "idempotency_in_progress", rule: "idempotency" };
        expect(await store.apply([callOf(keyId)], NOON)).toMatchObject([waiting]);
        expect(await store.sweepAbandonedHolds(NOON + 20_000)).toBe(1);
        const lookUp = { resumes: { callId: first.facts.id, vendorKey: "kb_first" } };
        expect(await store.apply([callOf(keyId)], NOON + 20_000)).toMatchObject([lookUp]);
        expect(await used(store, keyId)).toBe(usd(30));
        expect(await store.checkCounters()).toEqual([]);
      }),
    );
  }

  test(
    "the end of a call whose slot a later one has taken changes nothing there",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const repeat = termsOf({ slots: [SAME] });
      const slow = callOf(keyId, { repeat });
      await store.apply([slow], NOON);
      const later = NOON + SAME.lifeMs;
      const next = callOf(keyId, { repeat });
      expect(await store.apply([next], later)).toMatchObject([{ admitted: true, charges: [{ amount: usd(30) }] }]);
      await store.apply([endOf(slow, "settled", ANSWER)], later);
      expect(await store.apply([callOf(keyId, { repeat })], later)).toMatchObject([
        { code: "idempotency_in_progress" },
      ]);
    }),
  );

  test(
    "an operator who releases an unresolved call frees its slots, and one of another call stays",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const repeat = termsOf({ slots: [KEY, SAME] });
      const other = callOf(keyId, { repeat: termsOf({ slots: [{ ...KEY, name: "key:k2" }], requestHash: "h2" }) });
      const first = callOf(keyId, { repeat });
      const ends = [first, other].map((call) => endOf(call, "unresolved", "unknown"));
      await store.apply([first, other, ...ends], NOON);
      await store.apply([resolutionOf(first.facts.id, "released", 0, { costSource: "manual" })], NOON);
      expect(await used(store, keyId)).toBe(usd(30));
      const again = callOf(keyId, { repeat });
      expect(await store.apply([again], NOON)).toMatchObject([{ admitted: true, charges: [{ amount: usd(30) }] }]);
      const otherAgain = callOf(keyId, { repeat: other.repeat! });
      expect(await store.apply([otherAgain], NOON)).toMatchObject([{ resumes: { callId: other.facts.id } }]);
      expect(await used(store, keyId)).toBe(usd(60));
    }),
  );

  for (const to of ["released", "settled"] as const) {
    test(
      `an operator's word (${to}) and a repeat meet in their order in one batch`,
      within(open, async ({ store }) => {
        const { id: keyId } = await issue(store);
        const first = callOf(keyId);
        await store.apply([first, endOf(first, "unresolved", "unknown")], NOON);
        const word = resolutionOf(first.facts.id, to, to === "settled" ? 30 : 0, { costSource: "manual" });
        const before = callOf(keyId, { repeat: termsOf({ requestHash: "other" }) });
        const admitted = to === "released" ? { admitted: true, charges: [{}] } : { admitted: false };
        expect(await store.apply([before, word, callOf(keyId)], NOON)).toMatchObject([
          { admitted: false },
          { resolved: true },
          admitted,
        ]);
        expect(await used(store, keyId)).toBe(usd(30));
        expect(await store.checkCounters()).toEqual([]);
      }),
    );
  }

  test(
    "a batch that fails leaves no record",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const first = callOf(keyId);
      await expect(store.apply([first, { ...first, repeat: termsOf({ slots: [SAME] }) }], NOON)).rejects.toThrow();
      expect(await store.apply([callOf(keyId)], NOON)).toMatchObject([{ admitted: true, charges: [{}] }]);
    }),
  );

  test(
    "a stale call takes no slot",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const stale = callOf(keyId, { keyVersion: 2 });
      expect(await store.apply([stale, callOf(keyId)], NOON)).toMatchObject([{ code: "stale" }, { admitted: true }]);
    }),
  );

  test(
    "one vault key's records are nothing to another",
    within(open, async ({ store }) => {
      const [one, two] = [await issue(store), await issue(store)];
      const first = callOf(one.id);
      await store.apply([first, endOf(first, "settled", ANSWER)], NOON);
      expect(await store.apply([callOf(two.id)], NOON)).toMatchObject([{ admitted: true, charges: [{}] }]);
      expect(await used(store, one.id)).toBe(usd(30));
      expect(await used(store, two.id)).toBe(usd(30));
    }),
  );

  test(
    "what has run out is purged, and nothing else; a purged call's end is still its end",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const short = callOf(keyId, { repeat: termsOf({ slots: [SAME] }) });
      const long = callOf(keyId);
      await store.apply([short, long, endOf(long, "settled", ANSWER)], NOON);
      expect(await store.purgeRecordedCalls(NOON + SAME.lifeMs - 1)).toBe(0);
      expect(await store.purgeRecordedCalls(NOON + SAME.lifeMs)).toBe(1);
      expect(await store.purgeRecordedCalls(NOON + SAME.lifeMs)).toBe(0);
      expect(await store.apply([endOf(short, "settled", ANSWER)], NOON + SAME.lifeMs)).toMatchObject([
        { resolved: true },
      ]);
      expect(await store.apply([callOf(keyId)], NOON + DAY_MS - 1)).toMatchObject([{ code: "replayed" }]);
      expect(await store.purgeRecordedCalls(NOON + DAY_MS)).toBe(1);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "a purge takes a slice, so that no call waits long for it",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const calls = Array.from({ length: 1_200 }, (_, index) =>
        holdOf(keyId, 0, { repeat: termsOf({ slots: [{ ...KEY, name: `key:${index}` }] }) }),
      );
      await store.apply(calls, NOON);
      expect(await store.purgeRecordedCalls(NOON + DAY_MS)).toBe(1_000);
      expect(await store.purgeRecordedCalls(NOON + DAY_MS)).toBe(200);
    }),
  );
}
