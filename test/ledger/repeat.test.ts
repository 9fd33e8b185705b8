import { describe, expect, test } from "bun:test";
import { decide, type LedgerView } from "../../src/ledger/decide.ts";
import type { HoldDecision, HoldRequest } from "../../src/ledger/entry.ts";
import { type RecordedCall, type RepeatTerms, repeatKey } from "../../src/ledger/repeat.ts";
import { DAY_MS, dailyCap, holdOf, NOON, usd } from "./entries.ts";

const KEY_ID = "vk_1";
const ANSWER = { status: 200, sealed: new Uint8Array([1, 2, 3]) };
const KEY = { name: "key:k1", lifeMs: DAY_MS };
const OTHER_KEY = { name: "key:k2", lifeMs: DAY_MS };
const SAME = { name: "same:h1", lifeMs: 60_000 };

function termsOf(overrides: Partial<RepeatTerms> = {}): RepeatTerms {
  return { slots: [KEY], requestHash: "h1", vendorKey: "kb_1", ...overrides };
}

function recordOf(overrides: Partial<RecordedCall> = {}): RecordedCall {
  return {
    requestHash: "h1",
    state: "in_flight",
    callId: "call_first",
    heldBy: "call_first",
    vendorKey: "kb_first",
    answer: null,
    expiresAt: NOON + DAY_MS,
    ...overrides,
  };
}

function viewOf(records: Record<string, RecordedCall> = {}, overrides: Partial<LedgerView> = {}): LedgerView {
  const entries = Object.entries(records).map(([slot, record]) => [repeatKey(KEY_ID, slot), record] as const);
  const key = { id: KEY_ID, version: 1, expiresAt: NOON + DAY_MS, revokedAt: null, revokeReason: null };
  return {
    now: NOON,
    keys: new Map([[KEY_ID, key]]),
    brakes: [],
    vendors: new Map(),
    counters: new Map(),
    frozen: null,
    records: new Map(entries),
    objects: new Map(),
    ...overrides,
  };
}

function callOf(repeat: RepeatTerms, overrides: Parameters<typeof holdOf>[2] = {}): HoldRequest {
  return holdOf(KEY_ID, 30, { repeat, ...overrides });
}

function slotOf(view: LedgerView, slot: string): RecordedCall | undefined {
  return view.records.get(repeatKey(KEY_ID, slot));
}

const answered = recordOf({ state: "answered", answer: ANSWER });
const unknown = recordOf({ state: "unknown" });

interface Meeting {
  readonly title: string;
  readonly record: RecordedCall;
  readonly terms?: Partial<RepeatTerms>;
  readonly expected: object;
}

/** What a call meets in its slot, and what it gets. */
const MEETINGS: readonly Meeting[] = [
  {
    title: "gets the recorded answer",
    record: answered,
    expected: { admitted: false, code: "replayed", answer: ANSWER, heldBy: "call_first" },
  },
  {
    title: "waits for one that is still under way",
    record: recordOf(),
    expected: { admitted: false, code: "idempotency_in_progress", rule: "idempotency" },
  },
  {
    title: "looks up one whose outcome is unknown, under its hold and its vendor key",
    record: unknown,
    expected: { admitted: true, resumes: { callId: "call_first", vendorKey: "kb_first" } },
  },
  {
    title: "is not sent again where the vendor would do it again",
    record: recordOf({ state: "unknown", vendorKey: null }),
    expected: { admitted: false, code: "idempotency_in_progress", rule: "outcome_unknown" },
  },
  ...[answered, unknown, recordOf()].map((record) => ({
    title: `with another request is a mistake, while the first one is ${record.state}`,
    record,
    terms: { requestHash: "h2" },
    expected: { admitted: false, code: "idempotency_mismatch", rule: "idempotency" },
  })),
];

describe("a repeat", () => {
  for (const { title, record, terms, expected } of MEETINGS) {
    test(title, () => {
      const view = viewOf({ [KEY.name]: record });
      const decision = decide(view, callOf(termsOf(terms)));
      expect(decision).toMatchObject(expected);
      for (const used of view.counters.values()) expect(used).toBe(0n);
    });
  }

  test("passes a full cap, since it takes nothing from it", () => {
    for (const record of [answered, unknown]) {
      const view = viewOf({ [KEY.name]: record });
      const decision = decide(view, callOf(termsOf(), { budgets: [dailyCap(KEY_ID, 0)] }));
      expect(decision).not.toMatchObject({ code: "cap_exceeded" });
    }
  });

  const revoked = { id: KEY_ID, version: 1, expiresAt: NOON + DAY_MS, revokedAt: NOON, revokeReason: null };
  const brake = { id: "brk_1", vendor: null, labelPrefix: null, reason: null, engagedAt: NOON };
  test.each<[string, Partial<LedgerView>, string]>([
    ["a revoked key", { keys: new Map([[KEY_ID, revoked]]) }, "key_revoked"],
    ["an expired key", { keys: new Map([[KEY_ID, { ...revoked, revokedAt: null, expiresAt: NOON }]]) }, "key_expired"],
    ["a brake", { brakes: [brake] }, "brake_engaged"],
    ["a frozen store", { frozen: "restored" }, "store_unavailable"],
  ])("does not pass %s, whatever is recorded", (_what, overrides, code) => {
    for (const record of [answered, unknown]) {
      expect(decide(viewOf({ [KEY.name]: record }, overrides), callOf(termsOf()))).toMatchObject({ code });
    }
  });

  test("does not pass a policy that refuses it now", () => {
    const refusal = { code: "endpoint_denied", rule: "allowed_endpoints" } as const;
    const decision = decide(viewOf({ [KEY.name]: answered }), callOf(termsOf(), { refusal }));
    expect(decision).toMatchObject({ code: "endpoint_denied" });
  });

  test("is none for another vault key", () => {
    const view = viewOf();
    view.records.set(repeatKey("vk_2", KEY.name), answered);
    expect(decide(view, callOf(termsOf()))).toMatchObject({ admitted: true, charges: [{ amount: usd(30) }] });
  });
});

describe("a first call", () => {
  test("takes each of its slots for that slot's life", () => {
    const view = viewOf();
    const call = callOf(termsOf({ slots: [KEY, SAME] }));
    expect(decide(view, call)).toMatchObject({ admitted: true, charges: [{ amount: usd(30) }] });
    const { id } = call.facts;
    const record = { state: "in_flight", callId: id, heldBy: id, vendorKey: "kb_1", requestHash: "h1", answer: null };
    expect(slotOf(view, KEY.name)).toEqual({ ...record, expiresAt: NOON + DAY_MS } as RecordedCall);
    expect(slotOf(view, SAME.name)).toEqual({ ...record, expiresAt: NOON + 60_000 } as RecordedCall);
  });

  test("is the only one of its batch that goes out", () => {
    const view = viewOf();
    const decisions = [1, 2, 3].map(() => decide(view, callOf(termsOf())));
    expect(decisions.map((decision) => ("code" in decision ? decision.code : "admitted"))).toEqual([
      "admitted",
      "idempotency_in_progress",
      "idempotency_in_progress",
    ]);
    expect([...view.counters.values()]).toEqual([usd(30)]);
  });

  test("takes no slot where a cap refuses it, so that it may be tried again", () => {
    const view = viewOf();
    const call = callOf(termsOf(), { budgets: [dailyCap(KEY_ID, 29)] });
    expect(decide(view, call)).toMatchObject({ code: "cap_exceeded" });
    expect(view.records.size).toBe(0);
  });

  test.each<[string, RecordedCall]>([
    ["answered", answered],
    ["unknown", unknown],
    ["in_flight", recordOf()],
  ])("is one whose earlier record, %s, has run out, to the millisecond", (_state, record) => {
    const last = viewOf({ [KEY.name]: { ...record, expiresAt: NOON + 1 } });
    expect(decide(last, callOf(termsOf()))).not.toMatchObject({ charges: [{ amount: usd(30) }] });
    const over = viewOf({ [KEY.name]: { ...record, expiresAt: NOON } });
    expect(decide(over, callOf(termsOf()))).toMatchObject({ admitted: true, charges: [{ amount: usd(30) }] });
    expect(slotOf(over, KEY.name)).toMatchObject({ state: "in_flight", expiresAt: NOON + DAY_MS });
  });
});

describe("a look-up", () => {
  test("is one at a time: its own repeats wait for it, also in its batch", () => {
    const view = viewOf({ [KEY.name]: unknown });
    const first = callOf(termsOf());
    const decisions: HoldDecision[] = [first, callOf(termsOf()), callOf(termsOf())].map((call) => decide(view, call));
    expect(decisions.map((decision) => ("code" in decision ? decision.code : "admitted"))).toEqual([
      "admitted",
      "idempotency_in_progress",
      "idempotency_in_progress",
    ]);
    expect(slotOf(view, KEY.name)).toMatchObject({ callId: first.facts.id, heldBy: "call_first" });
  });

  test("keeps the first call's hold, vendor key and end of life, so that the vendor still knows the key", () => {
    const view = viewOf({ [KEY.name]: { ...unknown, expiresAt: NOON + 5 } });
    decide(view, callOf(termsOf({ vendorKey: "kb_other" })));
    expect(slotOf(view, KEY.name)).toMatchObject({ heldBy: "call_first", vendorKey: "kb_first", expiresAt: NOON + 5 });
  });

  test("found by its request gives its own Idempotency-Key no longer a life than the vendor's memory of the first", () => {
    const view = viewOf({ [SAME.name]: { ...unknown, expiresAt: NOON + 60_000 } });
    expect(decide(view, callOf(termsOf({ slots: [OTHER_KEY, SAME] })))).toMatchObject({ resumes: {} });
    expect(slotOf(view, OTHER_KEY.name)).toMatchObject({ heldBy: "call_first", expiresAt: NOON + 60_000 });
  });

  test("says the tightest budget as it stands, and charges none", () => {
    const view = viewOf({ [KEY.name]: unknown });
    view.counters.set(`${Date.UTC(2026, 0, 15)}|key:${KEY_ID}:daily_usd_cap`, usd(30));
    expect(decide(view, callOf(termsOf()))).toMatchObject({ tightest: { used: usd(30), cap: usd(100) } });
    expect([...view.counters.values()].reduce((sum, used) => sum + used, 0n)).toBe(usd(30));
  });
});

describe("an Idempotency-Key and a dedup_window that know different first calls", () => {
  const bySame = recordOf({
    state: "answered",
    callId: "call_b",
    heldBy: "call_b",
    answer: { ...ANSWER, status: 201 },
  });

  test("answer by the key first", () => {
    const view = viewOf({ [KEY.name]: answered, [SAME.name]: bySame });
    expect(decide(view, callOf(termsOf({ slots: [KEY, SAME] })))).toMatchObject({ heldBy: "call_first" });
  });

  test.each(["answered", "in_flight"] as const)("leave the other call its %s record when one is looked up", (state) => {
    const other = { ...bySame, state, answer: state === "answered" ? bySame.answer : null };
    const view = viewOf({ [KEY.name]: unknown, [SAME.name]: other });
    expect(decide(view, callOf(termsOf({ slots: [KEY, SAME] })))).toMatchObject({
      resumes: { callId: "call_first" },
    });
    expect(slotOf(view, SAME.name)).toEqual(other);
  });

  test("give a new key the answer that its request had, for that key's whole life", () => {
    const view = viewOf({ [SAME.name]: { ...answered, expiresAt: NOON + 60_000 } });
    const repeat = termsOf({ slots: [OTHER_KEY, SAME] });
    expect(decide(view, callOf(repeat))).toMatchObject({ code: "replayed" });
    const later = { ...view, now: NOON + 120_000 };
    expect(decide(later, callOf(repeat))).toMatchObject({ code: "replayed", heldBy: "call_first" });
    const other = termsOf({ slots: [OTHER_KEY, { ...SAME, name: "same:h2" }], requestHash: "h2" });
    expect(decide(later, callOf(other))).toMatchObject({ code: "idempotency_mismatch" });
  });

  test("do not begin the window anew by a repeat", () => {
    const view = viewOf({ [KEY.name]: answered });
    expect(decide(view, callOf(termsOf({ slots: [KEY, SAME] })))).toMatchObject({ code: "replayed" });
    expect(slotOf(view, SAME.name)).toBeUndefined();
  });
});
