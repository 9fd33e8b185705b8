import { expect, test } from "bun:test";
import { timeOrderedId } from "../../../src/core/id.ts";
import type { KeyFilter, KeySelector, Store } from "../../../src/store/store.ts";
import { NOON } from "../../ledger/entries.ts";
import { hashOf, issue, keyRecord, plain } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

/** Five keys, oldest first, whose labels hold everything that a pattern language could trip over; the last for two vendors. */
const LABELS = ["tenant:acme:1", "tenant:acme_2", "100%:run", "tenant:ACME:3", null];

async function issueFive(store: Store): Promise<string[]> {
  const ids = LABELS.map((_, index) => timeOrderedId("vk", NOON + index));
  for (const [index, label] of LABELS.entries()) {
    const vendors = index === 4 ? ["stripe", "twilio"] : [index % 2 === 0 ? "stripe" : "twilio"];
    await issue(store, { id: ids[index]!, label, vendors, issuedBy: index < 2 ? "kt_ci" : null });
  }
  return ids;
}

const FILTERS: readonly (readonly [title: string, filter: Partial<KeyFilter>, found: readonly number[]])[] = [
  ["all, newest first", {}, [4, 3, 2, 1, 0]],
  ["a label, whole", { label: "tenant:acme:1" }, [0]],
  ["no label by a part of it", { label: "tenant" }, []],
  ["a part of a label", { labelContains: "acme" }, [1, 0]],
  ["% as itself", { labelContains: "%" }, [2]],
  ["_ as itself", { labelContains: "acme_" }, [1]],
  ["letters as they are written", { labelContains: "ACME" }, [3]],
  ["a quote as itself", { labelContains: "' OR 1=1 --" }, []],
  ["a vendor, alone or among others", { vendor: "twilio" }, [4, 3, 1]],
  ["no vendor by a part of its name", { vendor: "twil" }, []],
  ["a quote in a vendor as itself", { vendor: '"stripe","twilio"' }, []],
  ["an issuer", { issuedBy: "kt_ci" }, [1, 0]],
  ["both of two conditions", { vendor: "stripe", labelContains: "acme" }, [0]],
  ["so many at most", { limit: 2 }, [4, 3]],
];

const SELECTORS: readonly (readonly [title: string, selector: KeySelector, revoked: readonly number[]])[] = [
  ["a label", { label: "tenant:acme:1" }, [0]],
  ["a label prefix", { labelPrefix: "tenant:" }, [0, 1, 3]],
  ["a label prefix with a wildcard's letter in it", { labelPrefix: "tenant:acme_" }, [1]],
  ["a label prefix with % in it", { labelPrefix: "100%" }, [2]],
  ["a label prefix that stands inside a label only: nothing", { labelPrefix: "acme" }, []],
  ["a vendor", { vendor: "stripe" }, [0, 2, 4]],
  ["a vendor that is the second of a key's, that key too", { vendor: "twilio" }, [1, 3, 4]],
  ["a vendor and a prefix", { vendor: "twilio", labelPrefix: "tenant:acme" }, [1]],
  ["everything, when that is said", { all: true }, [0, 1, 2, 3, 4]],
  ["everything of one issuer", { all: true, issuedBy: "kt_ci" }, [0, 1]],
  ["no ids: nothing", { ids: [] }, []],
];

export function keyConformance(open: OpenStore): void {
  test(
    "gives a key back as it was put in, by hash and by id, ready for JSON",
    within(open, async ({ store }) => {
      const record = keyRecord();
      expect(await store.insertKey(record, false)).toEqual({ inserted: true });
      for (const found of [await store.findKeyByHash(record.tokenHash), await store.getKey(record.id)]) {
        expect(plain(found)).toEqual(plain(record));
        expect(() => JSON.stringify(found)).not.toThrow();
      }
      expect(await store.findKeyByHash(hashOf("another"))).toBeUndefined();
      expect(await store.getKey("vk_none")).toBeUndefined();
    }),
  );

  test(
    "keeps labels with quotes, semicolons and other scripts to the letter",
    within(open, async ({ store }) => {
      for (const label of ["'); DROP TABLE vault_keys; --", 'a"b`c', "ключ/🔑", "a|b", "\\%_"]) {
        const { id } = await issue(store, { label });
        expect((await store.getKey(id))?.label).toBe(label);
        expect((await store.listKeys({ label, limit: 5 })).map((key) => key.id)).toEqual([id]);
      }
    }),
  );

  test(
    "takes many keys at once, each with its own answer, and one that cannot be written takes no other along",
    within(open, async ({ store }) => {
      const twice = keyRecord();
      const records = [...Array.from({ length: 20 }, () => keyRecord()), twice];
      const answers = await Promise.allSettled([
        ...records.map((record) => store.insertKey(record, false)),
        store.insertKey(twice, false),
        store.insertKey(keyRecord({ label: "only/1" }), true),
        store.insertKey(keyRecord({ label: "only/1" }), true),
      ]);
      const said = answers.map((answer) => (answer.status === "fulfilled" ? answer.value.inserted : "failed"));
      expect(said).toEqual([...records.map(() => true), "failed", true, false]);
      for (const { id } of records) expect((await store.getKey(id))?.id).toBe(id);
    }),
  );

  test(
    "refuses a second active key with a unique label and names the first",
    within(open, async ({ store }) => {
      const first = await issue(store, { label: "run-7" });
      const second = keyRecord({ label: "run-7" });
      expect(await store.insertKey(second, true)).toEqual({ inserted: false, activeKeyId: first.id });
      expect(await store.getKey(second.id)).toBeUndefined();
      await store.revokeKeys({ ids: [first.id] }, null, NOON);
      expect(await store.insertKey(second, true)).toEqual({ inserted: true });
      const late = keyRecord({ label: "run-7", createdAt: second.expiresAt });
      expect(await store.insertKey(late, true)).toEqual({ inserted: true });
      expect(await store.insertKey(keyRecord({ label: null }), true)).toEqual({ inserted: true });
      expect(await store.insertKey(keyRecord({ label: null }), true)).toEqual({ inserted: true });
    }),
  );

  for (const [title, filter, found] of FILTERS) {
    test(
      `lists ${title}`,
      within(open, async ({ store }) => {
        const ids = await issueFive(store);
        const keys = await store.listKeys({ limit: 50, ...filter });
        expect(keys.map((key) => key.id)).toEqual(found.map((index) => ids[index]!));
      }),
    );
  }

  test(
    "lists only what is active at a moment, and pages without a gap or a repeat",
    within(open, async ({ store }) => {
      const ids = await issueFive(store);
      const expired = await issue(store, { expiresAt: NOON + 5 });
      await store.revokeKeys({ ids: [ids[3]!] }, null, NOON);
      const active = await store.listKeys({ activeAt: NOON + 5, limit: 50 });
      expect(active.map((key) => key.id)).not.toContain(expired.id);
      expect(active).toHaveLength(4);
      const pages: string[] = [];
      for (let before: string | undefined; ; before = pages.at(-1)) {
        const page = await store.listKeys({ limit: 2, ...(before === undefined ? {} : { before }) });
        if (page.length === 0) break;
        pages.push(...page.map((key) => key.id));
      }
      expect(pages).toEqual([...ids, expired.id].sort().reverse());
    }),
  );

  test(
    "changes a key only from the version that the change was made from",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const policy = { vendor: "stripe", daily_usd_cap: "5.00" };
      const changed = await store.updateKey(id, { policy, expiresAt: NOON + 1, fromVersion: 1 });
      expect(changed).toMatchObject({ id, policy, expiresAt: NOON + 1, version: 2 });
      const late = { policy: { vendor: "stripe", daily_usd_cap: "900.00" }, expiresAt: NOON + 2, fromVersion: 1 };
      expect(await store.updateKey(id, late)).toBeUndefined();
      expect(await store.getKey(id)).toMatchObject({ policy, version: 2 });
      expect(await store.updateKey("vk_none", late)).toBeUndefined();
    }),
  );

  for (const [title, selector, revoked] of SELECTORS) {
    test(
      `revokes by ${title}`,
      within(open, async ({ store }) => {
        const ids = await issueFive(store);
        const answer = await store.revokeKeys(selector, "loop", NOON + 9);
        expect(answer.map((key) => key.id).sort()).toEqual(revoked.map((index) => ids[index]!).sort());
        for (const [index, id] of ids.entries()) {
          const key = await store.getKey(id);
          const hit = revoked.includes(index);
          expect(key).toMatchObject({ revokedAt: hit ? NOON + 9 : null, revokeReason: hit ? "loop" : null });
        }
      }),
    );
  }

  test(
    "revokes by many ids at once",
    within(open, async ({ store }) => {
      const ids = await issueFive(store);
      const strangers = Array.from({ length: 40_000 }, (_, index) => `vk_stranger_${index}`);
      const answer = await store.revokeKeys({ ids: [...strangers, ids[1]!, ids[4]!] }, null, NOON);
      expect(answer.map((key) => key.id).sort()).toEqual([ids[1]!, ids[4]!]);
    }),
  );

  test(
    "revokes once: a repeat returns nothing and changes neither time nor reason",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      expect(await store.revokeKeys({ ids: [id] }, "first", NOON)).toHaveLength(1);
      expect(await store.revokeKeys({ ids: [id] }, "second", NOON + 5)).toEqual([]);
      expect(await store.getKey(id)).toMatchObject({ revokedAt: NOON, revokeReason: "first" });
    }),
  );

  test(
    "refuses a selector that selects by nothing, or by an empty prefix",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      for (const selector of [{}, { issuedBy: "kt_ci" }, { labelPrefix: "" }]) {
        await expect(store.revokeKeys(selector, null, NOON)).rejects.toThrow("select");
      }
      expect((await store.getKey(id))?.revokedAt).toBeNull();
    }),
  );
}
