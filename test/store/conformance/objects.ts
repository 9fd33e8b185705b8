import { expect, test } from "bun:test";
import type { HoldRequest, ResolveRequest } from "../../../src/ledger/entry.ts";
import { DAY_MS, holdOf, NOON, resolutionOf } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

const NAME = "stripe /v1/payment_intents/pi_1";
const SHOWN = JSON.stringify({ id: "pi_1", amount: 1000, currency: "usd" });
const BUSY = { admitted: false, code: "idempotency_in_progress", rule: "object" };

function callOn(keyId: string, version: number | undefined, overrides: Parameters<typeof holdOf>[2] = {}): HoldRequest {
  return holdOf(keyId, 10, { object: { name: NAME, version }, ...overrides });
}

function endOf(call: HoldRequest, to: ResolveRequest["to"], rest: Partial<ResolveRequest> = {}): ResolveRequest {
  return { ...resolutionOf(call.facts.id, to, to === "settled" ? 10 : 0), object: NAME, ...rest };
}

/** The vendors' objects whose amounts calls rely on: one call at a time on each, and what was looked up still stands. */
export function objectConformance(open: OpenStore): void {
  for (const where of ["the same key", "another key", "another handle"]) {
    test(
      `a second call on an object waits for the first, with ${where}`,
      within(open, async (subject) => {
        const { id: keyId } = await issue(subject.store);
        const { id: otherId } = where === "another key" ? await issue(subject.store) : { id: keyId };
        const first = callOn(keyId, undefined);
        expect(await subject.store.apply([first, callOn(otherId, undefined)], NOON)).toMatchObject([
          { admitted: true },
          { ...BUSY, reason: first.facts.id },
        ]);
        const handle = where === "another handle" ? await subject.reopen() : subject.store;
        expect(await handle.apply([callOn(otherId, undefined)], NOON)).toMatchObject([BUSY]);
        expect(await handle.apply([endOf(first, "settled"), callOn(otherId, undefined)], NOON)).toMatchObject([
          { resolved: true },
          { admitted: true },
        ]);
        expect(await handle.checkCounters()).toEqual([]);
      }),
    );
  }

  test(
    "what was looked up before another call on the object is looked up again",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const before = (await store.standing(keyId, NAME, NOON)).object!;
      const raise = callOn(keyId, undefined);
      await store.apply([raise, endOf(raise, "settled")], NOON);
      expect(await store.apply([callOn(keyId, before.version)], NOON)).toMatchObject([{ code: "stale" }]);
      const after = (await store.standing(keyId, NAME, NOON)).object!;
      expect(await store.apply([callOn(keyId, after.version)], NOON)).toMatchObject([{ admitted: true }]);
    }),
  );

  test(
    "what an answer showed is remembered until the next call on the object",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const create = holdOf(keyId, 0);
      const made = { ...resolutionOf(create.facts.id, "settled"), remembers: { name: NAME, json: SHOWN } };
      await store.apply([create, made], NOON);
      const { object } = await store.standing(keyId, NAME, NOON);
      expect(object).toMatchObject({ heldBy: null, remembered: SHOWN });
      const update = callOn(keyId, object!.version);
      expect(await store.apply([update], NOON)).toMatchObject([{ admitted: true }]);
      const shown = JSON.stringify({ id: "pi_1", amount: 2000, currency: "usd" });
      await store.apply([endOf(update, "settled", { remembers: { name: NAME, json: shown } })], NOON);
      expect((await store.standing(keyId, NAME, NOON)).object).toMatchObject({ heldBy: null, remembered: shown });
    }),
  );

  test(
    "an answer that comes to the books late does not overwrite what a later call showed",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const create = holdOf(keyId, 0);
      const update = callOn(keyId, undefined);
      const shown = JSON.stringify({ id: "pi_1", amount: 9900 });
      await store.apply([create, update], NOON);
      await store.apply([endOf(update, "settled", { remembers: { name: NAME, json: shown } })], NOON);
      const late = { ...resolutionOf(create.facts.id, "settled"), remembers: { name: NAME, json: SHOWN } };
      await store.apply([late], NOON);
      expect((await store.standing(keyId, NAME, NOON)).object).toMatchObject({ remembered: shown });
    }),
  );

  for (const [what, to, remembered] of [
    ["that the vendor refused leaves what is known of its object", "released", SHOWN],
    ["whose answer showed nothing of its object leaves nothing known of it", "settled", null],
  ] as const) {
    test(
      `a call ${what}`,
      within(open, async ({ store }) => {
        const { id: keyId } = await issue(store);
        const create = holdOf(keyId, 0);
        const made = { ...resolutionOf(create.facts.id, "settled"), remembers: { name: NAME, json: SHOWN } };
        const call = callOn(keyId, undefined);
        await store.apply([create, made, call, endOf(call, to)], NOON);
        expect((await store.standing(keyId, NAME, NOON)).object).toMatchObject({ heldBy: null, remembered });
      }),
    );
  }

  for (const [how, finish] of [
    ["a timeout", "resolve"],
    ["a crash", "sweep"],
  ] as const) {
    test(
      `a call whose outcome is not known after ${how} keeps its object until an operator has resolved it`,
      within(open, async ({ store }) => {
        const { id: keyId } = await issue(store);
        const first = callOn(keyId, undefined);
        await store.apply([first], NOON);
        if (finish === "resolve") await store.apply([endOf(first, "unresolved")], NOON);
        else expect(await store.sweepAbandonedHolds(NOON + 20_000)).toBe(1);
        const later = NOON + 30_000;
        expect(await store.apply([callOn(keyId, undefined)], later)).toMatchObject([BUSY]);
        expect(await store.purgeRecordedCalls(NOON + 30 * DAY_MS)).toBe(0);
        const word = resolutionOf(first.facts.id, "released", 0, { costSource: "manual" });
        expect(await store.apply([word, callOn(keyId, undefined)], later)).toMatchObject([
          { resolved: true },
          { admitted: true },
        ]);
      }),
    );
  }

  test(
    "objects that nobody has named for eight days are forgotten",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const create = holdOf(keyId, 0);
      const made = { ...resolutionOf(create.facts.id, "settled"), remembers: { name: NAME, json: SHOWN } };
      await store.apply([create, made], NOON);
      expect(await store.purgeRecordedCalls(NOON + 8 * DAY_MS - 1)).toBe(0);
      expect(await store.purgeRecordedCalls(NOON + 8 * DAY_MS)).toBe(1);
      expect((await store.standing(keyId, NAME, NOON)).object).toEqual({ version: 0, heldBy: null, remembered: null });
    }),
  );

  test(
    "what stands against any call is told without writing anything",
    within(open, async ({ store }) => {
      const key = await issue(store);
      expect(await store.standing(key.id, undefined, NOON)).toMatchObject({
        key: { id: key.id, version: 1, revokedAt: null },
        brakes: [],
        frozen: null,
        object: undefined,
        now: NOON,
      });
      const brake = { id: "br_1", vendor: "stripe", labelPrefix: null, reason: "stop", engagedAt: NOON };
      await store.engageBrake(brake);
      await store.revokeKeys({ ids: [key.id] }, "done", NOON + 1);
      await store.freeze("restored", NOON);
      expect(await store.standing(key.id, undefined, NOON)).toMatchObject({
        key: { revokedAt: NOON + 1, revokeReason: "done" },
        brakes: [brake],
        frozen: "restored",
      });
      expect((await store.standing("vk_none", undefined, NOON)).key).toBeUndefined();
    }),
  );
}
