/** Digits first, as in ASCII: fixed-width texts sort like the numbers that they stand for. */
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BITS_PER_CHARACTER = Math.log2(ALPHABET.length);

/** How many base62 characters hold every value of `byteCount` bytes: 43 for 32 bytes, 6 for 4. */
export function base62Width(byteCount: number): number {
  return Math.ceil((byteCount * 8) / BITS_PER_CHARACTER);
}

/** `bytes` as one big-endian number in base62, padded with `0` to the width of that many bytes. */
export function encodeBase62(bytes: Uint8Array): string {
  const digits = Uint8Array.from(bytes);
  let text = "";
  for (let i = base62Width(bytes.length); i > 0; i--) text = ALPHABET[divideInPlace(digits)] + text;
  return text;
}

/** The `byteCount` bytes that `text` stands for, or undefined where it is not what `encodeBase62` writes for any of them. */
export function decodeBase62(text: string, byteCount: number): Uint8Array | undefined {
  if (text.length !== base62Width(byteCount)) return undefined;
  const bytes = new Uint8Array(byteCount);
  for (const character of text) {
    let carry = ALPHABET.indexOf(character);
    if (carry < 0) return undefined;
    for (let i = byteCount - 1; i >= 0; i--) {
      carry += bytes[i]! * ALPHABET.length;
      bytes[i] = carry & 255;
      carry >>>= 8;
    }
    if (carry > 0) return undefined; // 62^43 is a little more than 2^256: such a text would have a second spelling
  }
  return bytes;
}

/** `value` (an integer below 2^53) in base62 with exactly `width` characters. */
export function encodeBase62Number(value: number, width: number): string {
  let rest = value;
  let text = "";
  for (let i = 0; i < width; i++) {
    text = ALPHABET[rest % ALPHABET.length] + text;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}

/** Divides the big-endian number in `digits` by 62 and returns the remainder. */
function divideInPlace(digits: Uint8Array): number {
  let remainder = 0;
  for (let i = 0; i < digits.length; i++) {
    const dividend = remainder * 256 + digits[i]!;
    digits[i] = Math.floor(dividend / ALPHABET.length);
    remainder = dividend % ALPHABET.length;
  }
  return remainder;
}
