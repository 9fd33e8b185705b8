import { checkedHash, type MintedToken, mintToken, tokenBody } from "./checked-token.ts";

const PREFIX = "vault_key_";
/** twilio-go takes only `[a-zA-Z0-9]` for a key, so its users leave the underscores out. */
const ALPHANUMERIC_PREFIX = "vaultkey";

export type ParsedVaultKey =
  | { readonly ok: true; readonly hash: Uint8Array }
  | { readonly ok: false; readonly why: "not_a_vault_key" | "bad_checksum" };

const NOT_A_VAULT_KEY: ParsedVaultKey = { ok: false, why: "not_a_vault_key" };
const BAD_CHECKSUM: ParsedVaultKey = { ok: false, why: "bad_checksum" };

/** A new vault key: `vault_key_` + 43 random base62 characters + 6 of CRC-32. */
export function mintVaultKey(): MintedToken {
  return mintToken(PREFIX);
}

/**
 * Reads what a client sent as its key, with or without the underscores; both spellings have the same hash, that of the
 * canonical one. A typo in any one character is found here, without the store.
 */
export function parseVaultKey(text: string): ParsedVaultKey {
  const body = tokenBody(text, PREFIX) ?? tokenBody(text, ALPHANUMERIC_PREFIX);
  if (body === undefined) return NOT_A_VAULT_KEY;
  const hash = checkedHash(PREFIX, body);
  return hash === undefined ? BAD_CHECKSUM : { ok: true, hash };
}

/**
 * `token` spelled with letters and digits only (`vaultkey…`), the form that `key issue` prints for Twilio.
 * @throws RangeError where `token` is not a vault key; the message does not repeat it.
 */
export function alphanumericForm(token: string): string {
  if (!parseVaultKey(token).ok) throw new RangeError("only a vault key has an alphanumeric form");
  return token.replaceAll("_", "");
}
