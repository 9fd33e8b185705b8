import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, linkSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "../../src/core/secret.ts";
import { type Installation, openInstallation } from "../../src/operate/installation.ts";
import { assertMasterKey, ownKeyPath, type Rekeyed, type RekeyOptions, rekey } from "../../src/operate/rekey.ts";
import { RememberedAnswers } from "../../src/operate/remembered-answers.ts";
import { storedSecret } from "../../src/operate/vendors.ts";
import type { Store } from "../../src/store/store.ts";
import { AnswerBox } from "../../src/vault/answer-box.ts";
import { makeNextKey, nextKeyPath } from "../../src/vault/rekey-files.ts";
import { dailyCap, holdOf, resolutionOf } from "../ledger/entries.ts";
import { issue } from "../store/records.ts";
import { type Installed, install, problemOf } from "./installed.ts";

const SECRET = "sk_test_rekey_real_secret";
const ASKED = { scope: "issue", key: "idem-1", body: { a: 1 } };
const ANSWER = Buffer.from("what the vendor said");

let installed: Installed;
let keyPath: string;
let keyId: string;
const SLOT = { name: "key|1", lifeMs: 3_600_000 };

beforeEach(async () => {
  installed = await install();
  const { control, store, masterKey, clock } = installed;
  keyPath = ownKeyPath(installed.config, installed.dataDir);
  await control.setVendor("stripe", { secret: new Secret(SECRET) });
  await new RememberedAnswers(store, masterKey).remember(ASKED, { vault_key: "shown once" }, clock.now());
  ({ id: keyId } = await issue(store));
  const vendorVersion = (await store.listVendors())[0]!.version;
  const repeat = { slots: [SLOT], requestHash: "hash", vendorKey: null };
  const hold = holdOf(keyId, 1, { repeat, vendorVersion, budgets: [dailyCap(keyId, 100)] });
  await store.apply([hold], clock.now());
  const sealed = new AnswerBox(masterKey).seal(ANSWER, "owner");
  const end = { slots: [SLOT], outcome: { status: 200, sealed } };
  await store.apply([{ ...resolutionOf(hold.facts.id, "settled", 1), repeat: end }], clock.now());
});
afterEach(() => installed.close());

function change(own: Partial<RekeyOptions> = {}): Promise<Rekeyed> {
  const { store, clock, masterKey } = installed;
  return rekey({ store, clock, masterKey, keyPath, to: undefined, ...own });
}

/** Opens the data directory anew, as the next start does, and everything that is sealed in it. */
async function opensAll(): Promise<{ readonly masterKeyId: string; readonly notes: readonly string[] }> {
  const notes: string[] = [];
  const next: Installation = await openInstallation(installed.config, installed.clock, (text) => notes.push(text));
  try {
    const { store, masterKey } = next;
    const stripe = (await store.listVendors()).find(({ name }) => name === "stripe");
    expect(storedSecret({ ...installed.options, masterKey }, stripe, "stripe").reveal()).toBe(SECRET);
    const remembered = await new RememberedAnswers(store, masterKey).recall(ASKED, installed.clock.now());
    expect(remembered).toEqual({ vault_key: "shown once" });
    expect(Buffer.from(next.chainKey)).toEqual(Buffer.from(installed.chainKey));
    const repeat = { slots: [SLOT], requestHash: "hash", vendorKey: null };
    const vendorVersion = stripe!.version;
    const hold = holdOf(keyId, 1, { repeat, vendorVersion, budgets: [dailyCap(keyId, 100)] });
    const [decision] = await store.apply([hold], installed.clock.now());
    if (!decision || !("code" in decision) || decision.code !== "replayed") throw new Error("it was not replayed");
    expect(new AnswerBox(masterKey).open(decision.answer.sealed, "owner")).toEqual(ANSWER);
    return { masterKeyId: masterKey.id, notes };
  } finally {
    await next.store.close();
  }
}

test("everything that was sealed opens with the new key and nothing with the old one, which is kept beside it", async () => {
  const done = await change();
  expect(done).toMatchObject({ oldKeyId: installed.masterKey.id, keyPath, vendorSecrets: 1, answers: 2 });
  expect(done.newKeyId).not.toBe(done.oldKeyId);
  expect(await opensAll()).toEqual({ masterKeyId: done.newKeyId, notes: [] });
  expect([keyPath, done.oldKeyPath!].map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual(["600", "600"]);
  expect(existsSync(nextKeyPath(keyPath))).toBe(false);
  renameSync(done.oldKeyPath!, keyPath);
  expect((await problemOf(opensAll)).message).toContain(`cannot be opened with master key ${done.oldKeyId}`);
});

test("is done again and again, and each old key stays", async () => {
  for (let time = 0; time < 3; time++) {
    const before = await openInstallation(installed.config, installed.clock);
    const done = await change({ store: before.store, masterKey: before.masterKey });
    await before.store.close();
    expect((await opensAll()).masterKeyId).toBe(done.newKeyId);
    expect(existsSync(done.oldKeyPath!)).toBe(true);
  }
});

describe("cut off", () => {
  const CUT = new Error("killed here");
  const stores: readonly (readonly [string, (store: Store) => Store["rewrapSealed"]])[] = [
    ["before anything is wrapped", () => () => Promise.reject(CUT)],
    [
      "in the middle of it",
      (store) => (rewraps, now) =>
        store.rewrapSealed(
          {
            ...rewraps,
            recordedAnswer: () => {
              throw CUT;
            },
          },
          now,
        ),
    ],
  ];
  for (const [title, verb] of stores) {
    test(`${title}, it has changed nothing, says so, and goes on with the same new key next time`, async () => {
      const { store, masterKey } = installed;
      const cut: Store = Object.assign(Object.create(store), { rewrapSealed: verb(store) });
      await expect(change({ store: cut })).rejects.toBe(CUT);
      const { masterKeyId, notes } = await opensAll();
      expect(masterKeyId).toBe(masterKey.id);
      expect(notes.join()).toContain("has changed nothing: the old key is in force");
      const waiting = makeNextKey(keyPath).id;
      expect((await change()).newKeyId).toBe(waiting);
      expect((await opensAll()).masterKeyId).toBe(waiting);
    });
  }

  const FILES: readonly (readonly [string, (oldPath: string) => void])[] = [
    ["before the files are moved", () => {}],
    ["between the two moves", (oldPath) => linkSync(keyPath, oldPath)],
  ];
  for (const [title, step] of FILES) {
    test(`after everything is wrapped and ${title}, the next start completes it and says so`, async () => {
      const { store, masterKey } = installed;
      // All is committed, and then the process is gone.
      const cut: Store = Object.assign(Object.create(store), {
        rewrapSealed: async (...given: Parameters<Store["rewrapSealed"]>) => {
          await store.rewrapSealed(...given);
          throw CUT;
        },
      });
      await expect(change({ store: cut })).rejects.toBe(CUT);
      const next = makeNextKey(keyPath).id;
      step(`${keyPath}.old-${masterKey.id}`);
      const { masterKeyId, notes } = await opensAll();
      expect(masterKeyId).toBe(next);
      expect(notes.join()).toContain(`key ${next} is in force, key ${masterKey.id} is kept at`);
      expect((await opensAll()).notes).toEqual([]);
    });
  }
});

test("refuses while a server lives, changes nothing, and a server that starts meanwhile does not go on", async () => {
  const { store, clock, masterKey } = installed;
  await store.renewLease({ owner: "host:1:aaaa", until: clock.now() + 1 });
  expect(await problemOf(change)).toMatchObject({
    code: "conflict",
    hint: expect.stringContaining("stop every server"),
  });
  expect((await opensAll()).masterKeyId).toBe(masterKey.id);
  clock.nowMs += 1;
  await change();
  expect((await problemOf(() => assertMasterKey(store, masterKey))).message).toContain(
    "changed while this server started",
  );
});

test("a secret that the key does not open stops it, and nothing is changed", async () => {
  const { store, clock, masterKey } = installed;
  const [stripe] = await store.listVendors();
  const sealedSecret = Uint8Array.from(stripe!.sealedSecret!);
  sealedSecret[10]! ^= 1;
  await store.putVendor({ ...stripe!, name: "resend", sealedSecret, version: 1, updatedAt: clock.now() });
  expect((await problemOf(change)).message).toContain("of vendor resend");
  await installed.control.removeVendor("resend");
  expect((await opensAll()).masterKeyId).toBe(masterKey.id);
});

test("a key that was handed over is not replaced; the new one goes where the operator says", async () => {
  const elsewhere = join(installed.dataDir, "credential");
  renameSync(keyPath, elsewhere);
  expect((await problemOf(change)).hint).toContain("--to FILE");
  const to = join(installed.dataDir, "new-credential");
  const done = await change({ to });
  expect(done).toMatchObject({ keyPath: to, oldKeyPath: null });
  renameSync(to, keyPath);
  expect((await opensAll()).masterKeyId).toBe(done.newKeyId);
  expect((await problemOf(() => change({ to: keyPath }))).code).toBe("conflict");
});
