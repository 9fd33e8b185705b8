import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import { Problem } from "../core/problem.ts";
import type { Rewrapped, Rewraps } from "../store/rewraps.ts";
import type { Store } from "../store/store.ts";
import { rewrapAnswer } from "../vault/answer-box.ts";
import { chainKeyBinding } from "../vault/chain-key.ts";
import { createMasterKeyFile, MASTER_KEY_FILE, type MasterKey, readMasterKeyFile } from "../vault/master-key.ts";
import { makeNextKey, nextKeyPath, promoteNextKey, readNextKey } from "../vault/rekey-files.ts";
import { rewrap, sealedUnder } from "../vault/seal.ts";
import { rememberedBinding } from "./remembered-answers.ts";

/** The file of the master key that Keybrake may replace: the operator's, or that of the data directory. */
export function ownKeyPath({ masterKeyFile }: Pick<Config, "masterKeyFile">, dataDir: string): string {
  return masterKeyFile ?? join(dataDir, MASTER_KEY_FILE);
}

export interface RekeyOptions {
  readonly store: Store;
  readonly clock: Pick<Clock, "now">;
  readonly masterKey: MasterKey;
  readonly keyPath: string;
  /** Where the new key goes instead, for a key that others hand over (a systemd credential, a Docker secret). */
  readonly to: string | undefined;
}

export interface Rekeyed extends Rewrapped {
  readonly oldKeyId: string;
  readonly newKeyId: string;
  readonly keyPath: string;
  /** Null where the old key is nobody's to move. */
  readonly oldKeyPath: string | null;
}

/**
 * Wraps everything that is sealed under a new master key. The new key is on disk before anything is sealed under it, and all
 * is sealed under it, in one transaction, before it takes the old one's place: a kill at any moment leaves a store that one
 * of the two keys opens, both of which are there.
 * @throws Problem where a server runs, a secret cannot be opened, or the key in use is not Keybrake's to replace.
 */
export async function rekey({ store, clock, masterKey, keyPath, to }: RekeyOptions): Promise<Rekeyed> {
  if (to === undefined && !isKeyAt(keyPath, masterKey)) {
    throw new Problem(
      "conflict",
      "the master key was handed over (a systemd credential or a Docker secret), and is not Keybrake's to replace",
      "say with --to FILE where the new one is to be written, and hand that over from then on",
    );
  }
  const next = to === undefined ? makeNextKey(keyPath) : createMasterKeyFile(to);
  const rewrapped = await store.rewrapSealed(rewraps(masterKey, next), clock.now());
  const oldKeyPath = to === undefined ? promoteNextKey(keyPath, masterKey) : null;
  return { ...rewrapped, oldKeyId: masterKey.id, newKeyId: next.id, keyPath: to ?? keyPath, oldKeyPath };
}

function isKeyAt(path: string, key: MasterKey): boolean {
  return existsSync(path) && readMasterKeyFile(path, { strict: true })?.isSameAs(key) === true;
}

function rewraps(old: MasterKey, next: MasterKey): Rewraps {
  const orUndefined = (wrap: () => Uint8Array): Uint8Array | undefined => {
    try {
      return wrap();
    } catch (cause) {
      if (cause instanceof Problem) return undefined;
      throw cause;
    }
  };
  return {
    vendorSecret: (sealed, { name, secretId, version }) =>
      rewrap(old, next, sealed, { vendor: name, secretId, version }),
    chainKey: (sealed, id) => rewrap(old, next, sealed, chainKeyBinding(id)),
    rememberedAnswer: (sealed, of) => orUndefined(() => rewrap(old, next, sealed, rememberedBinding(of))),
    recordedAnswer: (sealed) => rewrapAnswer(old, next, sealed),
  };
}

/**
 * Ends a change of the master key that was cut off after everything had been sealed under the new one. One that was cut off
 * before that has changed nothing: the old key goes on, and the new one waits for the next `keybrake rekey`.
 * @returns a sentence for people; undefined where there is nothing to end.
 */
export async function finishRekey(store: Store, keyPath: string): Promise<string | undefined> {
  const next = readNextKey(keyPath);
  const chainKey = next && (await store.chainKey());
  if (!next || !chainKey) return undefined;
  if (sealedUnder(chainKey.sealed) !== next.id) {
    return `a change of the master key was begun and has changed nothing: the old key is in force, and ${nextKeyPath(keyPath)} is used by the next \`keybrake rekey\``;
  }
  const old = readMasterKeyFile(keyPath, { strict: true });
  if (!old || old.isSameAs(next)) return undefined;
  const oldPath = promoteNextKey(keyPath, old);
  return `a change of the master key that was cut off is complete: key ${next.id} is in force, key ${old.id} is kept at ${oldPath}`;
}

/**
 * For a server that has just said that it runs: from now on no change of the master key begins.
 * @throws Problem where one was made between the reading of the key and now.
 */
export async function assertMasterKey(store: Pick<Store, "chainKey">, masterKey: MasterKey): Promise<void> {
  const chainKey = await store.chainKey();
  if (!chainKey || sealedUnder(chainKey.sealed) === masterKey.id) return;
  throw new Problem("conflict", "the master key was changed while this server started", "start it again");
}
