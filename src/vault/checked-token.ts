import { randomBytes } from "node:crypto";
import { Secret } from "../core/secret.ts";
import { base62Width, encodeBase62 } from "./base62.ts";
import { CRC32_BASE62_CHARACTERS, crc32Base62 } from "./crc32.ts";

const RANDOM_BYTES = 32;
const HINT_CHARACTERS = 4;

/** Characters after the prefix: 256 random bits and the checksum. */
export const BODY_CHARACTERS = base62Width(RANDOM_BYTES) + CRC32_BASE62_CHARACTERS;

const BODY_PATTERN = /^[0-9A-Za-z]+$/;

export interface MintedToken {
  /** Shown once, kept nowhere. */
  readonly token: Secret;
  /** SHA-256 of the token: what the store keeps. */
  readonly hash: Uint8Array;
  /**
   * `vault_key_…a1B2`: the last four characters, which are what a person sees at the end of an environment variable.
   * They tell fewer than 24 of the 256 random bits.
   */
  readonly hint: string;
}

/** A new token: `prefix`, 256 bits from the system's generator in base62, CRC-32 over both. */
export function mintToken(prefix: string): MintedToken {
  const unchecked = prefix + encodeBase62(randomBytes(RANDOM_BYTES));
  const token = unchecked + crc32Base62(unchecked);
  return {
    token: new Secret(token),
    hash: hashToken(token),
    hint: `${prefix}…${token.slice(-HINT_CHARACTERS)}`,
  };
}

/** What follows `prefix` in `text` where it is as long as a token's body and has only its characters. */
export function tokenBody(text: string, prefix: string): string | undefined {
  // The length is looked at first: a header of many kilobytes costs nothing.
  if (text.length !== prefix.length + BODY_CHARACTERS || !text.startsWith(prefix)) return undefined;
  const body = text.slice(prefix.length);
  return BODY_PATTERN.test(body) ? body : undefined;
}

/** The SHA-256 of the token `prefix + body`, or undefined where its checksum is wrong. */
export function checkedHash(prefix: string, body: string): Uint8Array | undefined {
  const token = prefix + body;
  const checksumAt = token.length - CRC32_BASE62_CHARACTERS;
  if (crc32Base62(token.slice(0, checksumAt)) !== token.slice(checksumAt)) return undefined;
  return hashToken(token);
}

/** Plain SHA-256 is enough: 256 random bits cannot be guessed, so there is nothing for a slow hash to slow down. */
function hashToken(token: string): Uint8Array {
  return Bun.CryptoHasher.hash("sha256", token);
}
