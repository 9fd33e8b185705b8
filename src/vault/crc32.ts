import { base62Width, encodeBase62Number } from "./base62.ts";

/** Every CRC-32 fits in this many base62 characters. */
export const CRC32_BASE62_CHARACTERS = base62Width(4);

/** CRC-32 as in zlib, PNG and Ethernet (ISO-HDLC, reflected 0xEDB88320) over the UTF-8 bytes of `text`. */
export function crc32(text: string): number {
  return Bun.hash.crc32(text);
}

/**
 * The CRC-32 of `text` as six base62 characters. It finds every error that lies within 32 consecutive bits, so every
 * typo in one character, and lets through one in four billion others. It is no protection against a forger.
 */
export function crc32Base62(text: string): string {
  return encodeBase62Number(crc32(text), CRC32_BASE62_CHARACTERS);
}
