import type { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import type { HoldRequest, LedgerEntry, ResolveRequest } from "../../src/ledger/entry.ts";
import type { RepeatTerms } from "../../src/ledger/repeat.ts";
import { migrate, openDatabase } from "../../src/store/sqlite/database.ts";
import { SqliteLedger } from "../../src/store/sqlite/ledger.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { holdOf, NOON, resolutionOf } from "../ledger/entries.ts";
import { issue } from "./records.ts";
import { within } from "./store-under-test.ts";
import { openTemporaryStore, temporaryDatabase } from "./temporary-database.ts";

const NAME = "stripe /v1/payment_intents/pi_1";
const SHOWN = JSON.stringify({ id: "pi_1", amount: 1000, currency: "usd" });
const RAISED = JSON.stringify({ id: "pi_1", amount: 9000, currency: "usd" });
const BUSY = { admitted: false, code: "idempotency_in_progress", rule: "object" };
const REPEAT: RepeatTerms = { slots: [{ name: "key:k1", lifeMs: 86_000_000 }], requestHash: "h1", vendorKey: "kb_1" };

function callOn(keyId: string, version?: number, overrides: Parameters<typeof holdOf>[2] = {}): HoldRequest {
  return holdOf(keyId, 10, { object: { name: NAME, version }, ...overrides });
}

function endOf(call: HoldRequest, to: ResolveRequest["to"], rest: Partial<ResolveRequest> = {}): ResolveRequest {
  return { ...resolutionOf(call.facts.id, to, to === "settled" ? 10 : 0), object: NAME, ...rest };
}

/** A call that has made the object, of which its answer showed `SHOWN`. */
function creation(keyId: string): readonly LedgerEntry[] {
  const create = holdOf(keyId, 0);
  return [create, { ...resolutionOf(create.facts.id, "settled"), remembers: { name: NAME, json: SHOWN } }];
}

async function objectOf(store: Store, keyId: string) {
  return (await store.standing(keyId, NAME, NOON)).object!;
}

for (const to of ["settled", "released"] as const) {
  test(
    `what was looked up while another call was under way on the object does not stand once that one has ended as ${to}`,
    within(openTemporaryStore, async ({ store }) => {
      const { id: keyId } = await issue(store);
      await store.apply(creation(keyId), NOON);
      const raise = callOn(keyId);
      await store.apply([raise], NOON);
      const seen = await objectOf(store, keyId);
      const raised = { remembers: { name: NAME, json: RAISED } };
      await store.apply([endOf(raise, to, to === "settled" ? raised : {})], NOON);
      expect(await store.apply([callOn(keyId, seen.version)], NOON)).toMatchObject([{ code: "stale" }]);
    }),
  );
}

test(
  "what was looked up while a swept call was under way does not stand once an operator has resolved that one",
  within(openTemporaryStore, async ({ store }) => {
    const { id: keyId } = await issue(store);
    await store.apply(creation(keyId), NOON);
    const raise = callOn(keyId);
    await store.apply([raise], NOON);
    await store.sweepAbandonedHolds(NOON + 60_000);
    const seen = await objectOf(store, keyId);
    await store.apply([resolutionOf(raise.facts.id, "settled", 1, { costSource: "manual" })], NOON + 60_000);
    expect(await store.apply([callOn(keyId, seen.version)], NOON + 60_000)).toMatchObject([{ code: "stale" }]);
    expect((await objectOf(store, keyId)).remembered).toBeNull();
  }),
);

test(
  "a slow process whose hold another has swept frees its object when it ends after all, and what it saw is forgotten",
  within(openTemporaryStore, async ({ store, reopen }) => {
    const { id: keyId } = await issue(store);
    await store.apply(creation(keyId), NOON);
    const slow = callOn(keyId);
    const [held] = await store.apply([slow], NOON);
    const other = await reopen();
    await other.sweepAbandonedHolds(NOON + 60_000);
    expect(await other.apply([callOn(keyId)], NOON + 60_000)).toMatchObject([BUSY]);
    const receipt = (held as { receipt: NonNullable<ResolveRequest["receipt"]> }).receipt;
    const late = endOf(slow, "settled", { receipt, remembers: { name: NAME, json: RAISED } });
    expect(await store.apply([late], NOON + 61_000)).toMatchObject([{ resolved: true }]);
    expect(await objectOf(other, keyId)).toMatchObject({ heldBy: null, remembered: null });
    expect(await other.checkCounters()).toEqual([]);
  }),
);

test(
  "a late end does not free the object from under the call that has it by then",
  within(openTemporaryStore, async ({ store, reopen }) => {
    const { id: keyId } = await issue(store);
    const slow = callOn(keyId);
    const [held] = await store.apply([slow], NOON);
    const other = await reopen();
    await other.sweepAbandonedHolds(NOON + 60_000);
    await other.apply([resolutionOf(slow.facts.id, "released", 0, { costSource: "manual" })], NOON + 60_000);
    const next = callOn(keyId);
    expect(await other.apply([next], NOON + 60_000)).toMatchObject([{ admitted: true }]);
    const receipt = (held as { receipt: NonNullable<ResolveRequest["receipt"]> }).receipt;
    const late = endOf(slow, "settled", { receipt, remembers: { name: NAME, json: RAISED } });
    expect(await store.apply([late], NOON + 61_000)).toMatchObject([{ resolved: false }]);
    expect(await objectOf(store, keyId)).toMatchObject({ heldBy: next.facts.id, remembered: null });
  }),
);

for (const how of ["after a timeout", "after a crash"]) {
  test(
    `a repeat that finds out what became of a call ${how} passes that one's lock, and frees it`,
    within(openTemporaryStore, async ({ store }) => {
      const { id: keyId } = await issue(store);
      await store.apply(creation(keyId), NOON);
      const first = callOn(keyId, undefined, { repeat: REPEAT });
      await store.apply([first], NOON);
      const unknown = { slots: REPEAT.slots, outcome: "unknown" } as const;
      if (how === "after a crash") await store.sweepAbandonedHolds(NOON + 60_000);
      else await store.apply([endOf(first, "unresolved", { repeat: unknown })], NOON);
      const { version } = await objectOf(store, keyId);
      const again = callOn(keyId, version, { repeat: REPEAT });
      expect(await store.apply([again], NOON + 60_000)).toMatchObject([{ resumes: { callId: first.facts.id } }]);
      expect(await store.apply([callOn(keyId)], NOON + 60_000)).toMatchObject([BUSY]);
      const answer = { status: 200, sealed: new Uint8Array([1]) };
      const nothing = resolutionOf(again.facts.id, "settled", 0, { flag: `looks_up:${first.facts.id}` });
      await store.apply(
        [
          { ...nothing, object: NAME, repeat: { slots: REPEAT.slots, outcome: answer } },
          resolutionOf(first.facts.id, "settled", 10, { costSource: "lookup" }),
        ],
        NOON + 60_000,
      );
      expect(await objectOf(store, keyId)).toMatchObject({ heldBy: null, remembered: null });
      expect(await store.apply([callOn(keyId)], NOON + 60_000)).toMatchObject([{ admitted: true }]);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );
}

test("a hold whose COMMIT is in doubt frees its object with its withdrawal, in the batch that then asks for it", async () => {
  const directory = temporaryDatabase();
  const database: Database = openDatabase(directory.path);
  migrate(database, directory.path, NOON);
  const run = database.run.bind(database);
  let isLost = false;
  database.run = ((statement: string) => {
    const result = run(statement);
    if (statement === "COMMIT" && isLost) throw new Error("disk I/O error");
    return result;
  }) as typeof database.run;
  const reader = openSqliteStore(directory.path, NOON);
  try {
    const { id: keyId } = await issue(reader);
    const ledger = new SqliteLedger(database);
    isLost = true;
    expect(() => ledger.apply([callOn(keyId)], NOON)).toThrow("disk I/O error");
    isLost = false;
    const { version } = await objectOf(reader, keyId);
    const next = callOn(keyId);
    expect(ledger.apply([callOn(keyId, version), next], NOON)).toMatchObject([{ code: "stale" }, { admitted: true }]);
    expect((await objectOf(reader, keyId)).heldBy).toBe(next.facts.id);
  } finally {
    await reader.close();
    database.close();
    directory.remove();
  }
});
