import { expect, test } from "bun:test";
import { NOON } from "../../ledger/entries.ts";
import { hashOf, plain, tokenRecord } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

const session = (id: string, tokenId: string, createdAt = NOON) => ({
  idHash: hashOf(id),
  tokenId,
  createdAt,
  expiresAt: createdAt + 1_000,
});

export function sessionConformance(open: OpenStore): void {
  test(
    "gives the token of a session until the moment it expires, and to no other id",
    within(open, async ({ store, reopen }) => {
      const token = tokenRecord();
      await store.insertToken(token);
      await store.insertSession(session("one", token.id), 5);
      const found = await store.findSession(hashOf("one"), NOON + 999);
      expect({ token: plain(found?.token), expiresAt: found?.expiresAt }).toEqual({
        token: plain(token),
        expiresAt: NOON + 1_000,
      });
      expect(await store.findSession(hashOf("one"), NOON + 1_000)).toBeUndefined();
      expect(await store.findSession(hashOf("another"), NOON)).toBeUndefined();
      const restarted = await reopen();
      expect((await restarted.findSession(hashOf("one"), NOON))?.token.id).toBe(token.id);
    }),
  );

  test(
    "ends a session once, and with its token at once for every process",
    within(open, async ({ store, reopen }) => {
      const token = tokenRecord();
      await store.insertToken(token);
      for (const id of ["one", "two"]) await store.insertSession(session(id, token.id), 5);
      expect(await store.endSession(hashOf("one"))).toBe(true);
      expect(await store.endSession(hashOf("one"))).toBe(false);
      expect(await store.findSession(hashOf("one"), NOON)).toBeUndefined();
      await (await reopen()).revokeToken(token.id, NOON + 1);
      expect(await store.findSession(hashOf("two"), NOON)).toBeUndefined();
    }),
  );

  test(
    "is nobody's where its token is none",
    within(open, async ({ store }) => {
      await store.insertSession(session("one", "kt_none"), 5);
      expect(await store.findSession(hashOf("one"), NOON)).toBeUndefined();
    }),
  );

  test(
    "keeps a token's newest sessions, and none that has expired",
    within(open, async ({ store }) => {
      const [token, other] = [tokenRecord(), tokenRecord({ id: "kt_other" })];
      for (const each of [token, other]) await store.insertToken(each);
      await store.insertSession(session("other", other.id), 3);
      for (let at = 0; at < 10; at++) await store.insertSession(session(`s${at}`, token.id, NOON + at), 3);
      const living = async (id: string) => (await store.findSession(hashOf(id), NOON + 10)) !== undefined;
      expect(await Promise.all(["s6", "s7", "s8", "s9", "other"].map(living))).toEqual([false, true, true, true, true]);
      await store.insertSession(session("late", token.id, NOON + 5_000), 3);
      expect(await store.endSession(hashOf("other"))).toBe(false);
    }),
  );
}
