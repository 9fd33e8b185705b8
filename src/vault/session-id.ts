import { checkedHash, type MintedToken, mintToken, tokenBody } from "./checked-token.ts";

const PREFIX = "kb_session_";

/** A new id of a browser's session: `kb_session_` + 43 random base62 characters + 6 of CRC-32. */
export function mintSessionId(): MintedToken {
  return mintToken(PREFIX);
}

/** The SHA-256 that a session is kept by; undefined for what cannot be an id, which then costs no look into the store. */
export function parseSessionId(text: string): Uint8Array | undefined {
  const body = tokenBody(text, PREFIX);
  return body === undefined ? undefined : checkedHash(PREFIX, body);
}
