/** What a row has in its columns: text, whole numbers, times in fractions of a millisecond, nothing; money as decimal text. */
export type ChainValue = string | number | null;

/** SHA-256. */
export const CHAIN_HASH_BYTES = 32;

/** What stands where the row before the first would be. */
export const CHAIN_START: Uint8Array = new Uint8Array(CHAIN_HASH_BYTES);

/**
 * The hash of a final row: HMAC-SHA256 over the hash of the row before it and the JSON list of all its own columns, so
 * that no row can be changed, removed or moved without the key and without all later hashes being wrong.
 * @param key of this installation; whoever has only the database cannot compute a hash.
 * @param values in the order of the store's columns.
 */
export function chainHash(key: Uint8Array, previous: Uint8Array, values: readonly ChainValue[]): Uint8Array {
  return new Bun.CryptoHasher("sha256", key as Buffer).update(previous).update(JSON.stringify(values)).digest();
}

/** A key for one purpose, so that what is signed for it can never stand in for anything else. */
export function derivedKey(key: Uint8Array, purpose: "checkpoint" | "audit segment" | "audit export"): Uint8Array {
  return new Bun.CryptoHasher("sha256", key as Buffer).update(`keybrake ${purpose} v1`).digest();
}
