import { expect, test } from "bun:test";
import type { Rewraps } from "../../../src/store/rewraps.ts";
import type { Store } from "../../../src/store/store.ts";
import { DAY_MS, dailyCap, holdOf, NOON, resolutionOf } from "../../ledger/entries.ts";
import { issue, vendorRecord } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

const SLOT = { name: "key:k1", lifeMs: DAY_MS };
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const text = (sealed: Uint8Array | undefined) => sealed && Buffer.from(sealed).toString();

/** Everything that can be sealed, once. */
async function sealAll(store: Store): Promise<string> {
  await store.putChainKey({ id: "chain_1", sealed: bytes("chain") });
  await store.putVendor(vendorRecord({ sealedSecret: bytes("vendor") }));
  await store.rememberAnswer("issue", "k", { bodyHash: "h", sealedAnswer: bytes("remembered") }, NOON);
  const { id } = await issue(store);
  const repeat = { slots: [SLOT], requestHash: "h1", vendorKey: null };
  const hold = holdOf(id, 1, { repeat, vendorVersion: 1, budgets: [dailyCap(id, 100)] });
  const end = { slots: [SLOT], outcome: { status: 200, sealed: bytes("recorded") } };
  await store.apply([hold], NOON);
  await store.apply([{ ...resolutionOf(hold.facts.id, "settled", 1), repeat: end }], NOON);
  return id;
}

async function sealedNow(store: Store, keyId: string) {
  const repeat = { slots: [SLOT], requestHash: "h1", vendorKey: null };
  const [decision] = await store.apply([holdOf(keyId, 1, { repeat, vendorVersion: 1 })], NOON);
  return {
    chain: text((await store.chainKey())?.sealed),
    vendor: text((await store.listVendors())[0]!.sealedSecret),
    remembered: text((await store.recallAnswer("issue", "k", NOON))?.sealedAnswer),
    recorded: decision && "answer" in decision ? text(decision.answer.sealed) : undefined,
  };
}

const again = (sealed: Uint8Array) => bytes(`${text(sealed)}!`);
const REWRAPS: Rewraps = {
  vendorSecret: (sealed, of) => bytes(`${text(sealed)} ${of.name} ${of.secretId} ${of.version}`),
  chainKey: (sealed, id) => bytes(`${text(sealed)} ${id}`),
  rememberedAnswer: (sealed, of) => bytes(`${text(sealed)} ${of.scope} ${of.key}`),
  recordedAnswer: again,
};

/** What every store does where the master key changes. */
export function rewrapConformance(open: OpenStore): void {
  test(
    "wraps everything that is sealed anew, each by what it is",
    within(open, async ({ store }) => {
      const keyId = await sealAll(store);
      expect(await store.rewrapSealed(REWRAPS, NOON)).toEqual({ vendorSecrets: 1, answers: 2 });
      expect(await sealedNow(store, keyId)).toEqual({
        chain: "chain chain_1",
        vendor: "vendor stripe sec_1 1",
        remembered: "remembered issue k",
        recorded: "recorded!",
      });
    }),
  );

  test(
    "wraps nothing where one cannot be, nor while a server's lease lives",
    within(open, async ({ store }) => {
      const keyId = await sealAll(store);
      const before = { chain: "chain", vendor: "vendor", remembered: "remembered", recorded: "recorded" };
      const throwing: Rewraps = {
        ...REWRAPS,
        recordedAnswer: () => {
          throw new Error("cannot be opened");
        },
      };
      await expect(store.rewrapSealed(throwing, NOON)).rejects.toThrow("cannot be opened");
      await store.renewLease({ owner: "host:1:aaaa", until: NOON + 1 });
      await expect(store.rewrapSealed(REWRAPS, NOON)).rejects.toMatchObject({ code: "conflict" });
      expect(await sealedNow(store, keyId)).toEqual(before);
      expect(await store.rewrapSealed(REWRAPS, NOON + 1)).toMatchObject({ vendorSecrets: 1 });
    }),
  );

  test(
    "forgets a remembered answer that nothing opens",
    within(open, async ({ store }) => {
      const keyId = await sealAll(store);
      await store.rewrapSealed(
        { ...REWRAPS, rememberedAnswer: () => undefined, recordedAnswer: () => undefined },
        NOON,
      );
      expect(await sealedNow(store, keyId)).toMatchObject({ remembered: undefined, recorded: "recorded" });
    }),
  );
}
