import { Problem } from "../core/problem.ts";
import type { Store } from "../store/store.ts";
import { makeChainKey, openChainKey } from "../vault/chain-key.ts";
import type { MasterKey } from "../vault/master-key.ts";

/**
 * Opens the key of the audit chain, made when an installation is opened for the first time, and gives it to the store.
 * @throws Problem where there are rows and no key that this master key opens: nothing could be added to them or checked.
 */
export async function useChainKey(store: Store, masterKey: MasterKey): Promise<Uint8Array> {
  const key = await chainKey(store, masterKey);
  store.useChainKey(key);
  return key;
}

async function chainKey(store: Store, masterKey: MasterKey): Promise<Uint8Array> {
  const found = await store.chainKey();
  try {
    if (found) return openChainKey(masterKey, found);
  } catch (cause) {
    // A key that no row was hashed with is worth nothing: the next one may have its place.
    if ((await store.chainState()).count > 0) throw cause;
  }
  if ((await store.chainState()).count > 0) throw keyIsGone();
  return openChainKey(masterKey, await store.putChainKey(makeChainKey(masterKey), found?.id));
}

function keyIsGone(): Problem {
  return new Problem(
    "unavailable",
    "the database has audit rows, and the key of their chain is gone",
    "restore the database from a backup: without that key no row can be added or checked",
  );
}
