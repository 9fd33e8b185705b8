/** `ignoreBOM` keeps a byte order mark in the text, where the parsers see and refuse it, instead of dropping it silently. */
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text, or undefined where the bytes are not valid UTF-8 (overlong forms and surrogates are not). */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return STRICT.decode(bytes);
  } catch {
    return undefined;
  }
}
