import { expect, test } from "bun:test";
import { DAY_MS, holdOf, NOON } from "../../ledger/entries.ts";
import { hashOf, issue, plain, tokenRecord, vendorRecord, withoutMoney } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

const brake = (id: string, vendor: string | null, labelPrefix: string | null) => ({
  id,
  vendor,
  labelPrefix,
  reason: "2 a.m.",
  engagedAt: NOON,
});

const answer = (text: string) => ({ bodyHash: text, sealedAnswer: hashOf(text) });

export function controlConformance(open: OpenStore): void {
  vendorConformance(open);
  brakeConformance(open);
  hardStopConformance(open);
  answerConformance(open);

  test(
    "gives a control token back as it was put in, also after it was revoked, once",
    within(open, async ({ store }) => {
      const full = tokenRecord();
      const bare = tokenRecord({
        role: "admin",
        name: null,
        templates: null,
        maxDailyMicros: null,
        createdAt: NOON + 1,
      });
      for (const token of [full, bare]) await store.insertToken(token);
      for (const token of [full, bare]) {
        const found = await store.findTokenByHash(token.tokenHash);
        expect(plain(found)).toEqual(plain(token));
        expect(() => JSON.stringify(withoutMoney(found!))).not.toThrow();
      }
      expect((await store.listTokens()).map((token) => token.id)).toEqual([full.id, bare.id]);
      expect(await store.revokeToken(full.id, NOON + 5)).toBe(true);
      expect(await store.revokeToken(full.id, NOON + 6)).toBe(false);
      expect(await store.revokeToken("kt_none", NOON)).toBe(false);
      expect((await store.findTokenByHash(full.tokenHash))?.revokedAt).toBe(NOON + 5);
      expect(await store.findTokenByHash(hashOf("another"))).toBeUndefined();
    }),
  );

  test(
    "counts calls without a known key, day by day",
    within(open, async ({ store }) => {
      await store.countUnknownKey(NOON, 3);
      await store.countUnknownKey(NOON + 1, 4);
      await store.countUnknownKey(NOON + DAY_MS, 5);
      expect((await store.describe())["unknown_key_calls"]).toBe(12);
    }),
  );
}

function vendorConformance(open: OpenStore): void {
  test(
    "gives a vendor's settings back as they were put in, ready for JSON",
    within(open, async ({ store }) => {
      const stripe = vendorRecord();
      const twilio = vendorRecord({ name: "twilio", origin: null, isPrivate: false, username: "SK1" });
      expect(await store.putVendor(twilio)).toBe(true);
      expect(await store.putVendor(stripe)).toBe(true);
      const found = await store.listVendors();
      expect(found.map(plain)).toEqual([plain(stripe), plain(twilio)]);
      expect(() => JSON.stringify(found)).not.toThrow();
    }),
  );

  test(
    "takes a vendor's settings only as the successor of what is there",
    within(open, async ({ store }) => {
      await store.putVendor(vendorRecord({ version: 1 }));
      expect(await store.putVendor(vendorRecord({ version: 1, accountId: "acct_late" }))).toBe(false);
      expect(await store.putVendor(vendorRecord({ version: 3, accountId: "acct_early" }))).toBe(false);
      expect(await store.putVendor(vendorRecord({ version: 2, accountId: "acct_2" }))).toBe(true);
      expect(await store.listVendors()).toMatchObject([{ version: 2, accountId: "acct_2" }]);
    }),
  );

  test(
    "never repeats a vendor's version, also when its secret is removed and set again",
    within(open, async ({ store }) => {
      const versions: number[] = [];
      const note = async () => versions.push((await store.listVendors())[0]!.version);
      await store.putVendor(vendorRecord({ version: 1 }));
      await note();
      expect(await store.removeVendor("stripe", NOON + 1)).toBe(true);
      await note();
      expect(await store.removeVendor("stripe", NOON + 2)).toBe(false);
      expect(await store.putVendor(vendorRecord({ version: 1 }))).toBe(false);
      expect(await store.putVendor(vendorRecord({ version: 3 }))).toBe(true);
      await note();
      expect(versions).toEqual([1, 2, 3]);
    }),
  );

  test(
    "forgets secret, account, user name and origin when a vendor is removed",
    within(open, async ({ store }) => {
      await store.putVendor(vendorRecord({ username: "SK1" }));
      await store.removeVendor("stripe", NOON + 1);
      const [left] = await store.listVendors();
      expect(left).toMatchObject({ name: "stripe", accountId: "", username: "", origin: null, isPrivate: false });
      expect(left!.sealedSecret).toBeUndefined();
      expect(left!.updatedAt).toBe(NOON + 1);
      expect(await store.removeVendor("twilio", NOON)).toBe(false);
    }),
  );
}

function brakeConformance(open: OpenStore): void {
  test(
    "releases exactly the brake that was engaged, with nothing as a value of its own",
    within(open, async ({ store }) => {
      await store.engageBrake(brake("b1", null, null));
      await store.engageBrake(brake("b2", "stripe", null));
      await store.engageBrake(brake("b3", null, "tenant:"));
      await store.engageBrake(brake("b4", "stripe", "tenant:"));
      const released = async (vendor: string | null, prefix: string | null) =>
        (await store.releaseBrake(vendor, prefix, NOON + 1)).map(({ id }) => id);
      expect(await released("stripe", null)).toEqual(["b2"]);
      expect(await released("stripe", null)).toEqual([]);
      expect(await released(null, "tenant:")).toEqual(["b3"]);
      expect(await released(null, "tenant")).toEqual([]);
      expect(await released("twilio", "tenant:")).toEqual([]);
      expect((await store.listBrakes()).map(({ id }) => id)).toEqual(["b1", "b4"]);
      expect(await released(null, null)).toEqual(["b1"]);
    }),
  );

  test(
    "releases every brake of one scope at once, and lists brakes in the order of engaging",
    within(open, async ({ store }) => {
      await store.engageBrake({ ...brake("z", "stripe", null), engagedAt: NOON });
      await store.engageBrake({ ...brake("a", "stripe", null), engagedAt: NOON + 1 });
      const listed = await store.listBrakes();
      expect(listed).toMatchObject([{ id: "z", reason: "2 a.m.", engagedAt: NOON }, { id: "a" }]);
      expect(() => JSON.stringify(listed)).not.toThrow();
      expect(await store.releaseBrake("stripe", null, NOON + 2)).toHaveLength(2);
      expect(await store.listBrakes()).toEqual([]);
    }),
  );
}

function hardStopConformance(open: OpenStore): void {
  test(
    "hands hard stops to every handle, in their order and once, each with the newest hold before it",
    within(open, async ({ store, reopen }) => {
      const other = await reopen();
      const scope = { vendor: "stripe", label: null, labelPrefix: "tenant:acme:" };
      const { id } = await issue(store);
      await store.recordHardStop({ keyIds: [], scope }, NOON);
      const [hold] = await store.apply([holdOf(id, 5)], NOON);
      const seq = hold && "receipt" in hold ? hold.receipt!.seq : 0;
      expect(seq).toBeGreaterThan(0);
      await store.recordHardStop({ keyIds: ["vk_1", "vk_2"], scope: null }, NOON + 1);
      const [first, second, ...more] = await other.hardStopsSince(0);
      expect(more).toEqual([]);
      expect(first).toEqual({ seq: first!.seq, lastCallSeq: 0, keyIds: [], scope });
      expect(second).toEqual({ seq: second!.seq, lastCallSeq: seq, keyIds: ["vk_1", "vk_2"], scope: null });
      expect(await other.hardStopsSince(first!.seq)).toEqual([second!]);
      expect(await other.hardStopsSince(second!.seq)).toEqual([]);
    }),
  );

  test(
    "forgets hard stops after a day, and never gives their numbers out again",
    within(open, async ({ store }) => {
      const stop = { keyIds: ["vk_1"], scope: null };
      await store.recordHardStop(stop, NOON);
      const [first] = await store.hardStopsSince(0);
      await store.recordHardStop(stop, NOON + DAY_MS);
      const [second, ...more] = await store.hardStopsSince(0);
      expect(more).toEqual([]);
      expect(second!.seq).toBeGreaterThan(first!.seq);
    }),
  );
}

function answerConformance(open: OpenStore): void {
  test(
    "remembers the first answer for 24 hours and no longer",
    within(open, async ({ store }) => {
      expect(await store.recallAnswer("kt_1", "k", NOON)).toBeUndefined();
      expect(await store.rememberAnswer("kt_1", "k", answer("first"), NOON)).toBeUndefined();
      const earlier = await store.rememberAnswer("kt_1", "k", answer("second"), NOON + 5);
      expect(earlier).toMatchObject({ bodyHash: "first" });
      expect(plain(earlier)).toEqual(plain(answer("first")));
      expect(await store.recallAnswer("kt_1", "k", NOON + DAY_MS - 1)).toMatchObject({ bodyHash: "first" });
      expect(await store.recallAnswer("kt_1", "k", NOON + DAY_MS)).toBeUndefined();
      expect(await store.rememberAnswer("kt_1", "k", answer("third"), NOON + DAY_MS)).toBeUndefined();
      expect(await store.recallAnswer("kt_1", "k", NOON + DAY_MS)).toMatchObject({ bodyHash: "third" });
    }),
  );

  test(
    "keeps the answers of two callers apart",
    within(open, async ({ store }) => {
      await store.rememberAnswer("kt_1", "k", answer("one"), NOON);
      expect(await store.recallAnswer("kt_2", "k", NOON)).toBeUndefined();
      expect(await store.recallAnswer("kt_1", "k2", NOON)).toBeUndefined();
    }),
  );
}
