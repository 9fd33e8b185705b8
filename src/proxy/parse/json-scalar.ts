/** Thrown inside the JSON scanner and caught by `parseStrictJson`; carries the sentence for the client. */
export class JsonRefusal extends Error {}

/** A token of the text and the index right after it. */
export interface ScannedString {
  readonly value: string;
  readonly end: number;
}

const NOT_PLAIN = /[\x00-\x1f\\]/;
/** What a two-character escape stands for, by the code of its second character. */
const ESCAPES: readonly (string | undefined)[] = shortEscapes();

function shortEscapes(): (string | undefined)[] {
  const table: (string | undefined)[] = new Array(128).fill(undefined);
  const letters = '"\\/bfnrt';
  const meanings = '"\\/\b\f\n\r\t';
  for (let index = 0; index < letters.length; index++) table[letters.charCodeAt(index)] = meanings.charAt(index);
  return table;
}

/**
 * Reads the string whose opening quote is at `open`. RFC 8259 §7, without NUL (C code ends there) and without lone
 * surrogates (each library replaces, keeps or drops them).
 */
export function scanString(text: string, open: number): ScannedString {
  const quote = text.indexOf('"', open + 1);
  if (quote === -1) throw new JsonRefusal(`The JSON string that begins at character ${open} has no end.`);
  const plain = text.slice(open + 1, quote);
  return NOT_PLAIN.test(plain) ? scanEscaped(text, open) : { value: plain, end: quote + 1 };
}

function scanEscaped(text: string, open: number): ScannedString {
  let value = "";
  let from = open + 1;
  for (let at = from; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return { value: value + text.slice(from, at), end: at + 1 };
    if (code < 0x20) throw new JsonRefusal(`The JSON has a bare control character at character ${at}; escape it.`);
    if (code !== 0x5c) {
      at++;
      continue;
    }
    if (at > from) value += text.slice(from, at);
    const simple = ESCAPES[text.charCodeAt(at + 1)];
    const escaped = simple ?? scanUnicodeEscape(text, at);
    value += escaped;
    at += simple === undefined ? 6 * escaped.length : 2;
    from = at;
  }
  throw new JsonRefusal(`The JSON string that begins at character ${open} has no end.`);
}

/** The character of `\uXXXX`, or of the two that make a surrogate pair; six characters of text per UTF-16 unit. */
function scanUnicodeEscape(text: string, at: number): string {
  const unit = hexUnit(text, at);
  if (unit === 0) throw new JsonRefusal(`The JSON has \\u0000 at character ${at}; NUL is refused.`);
  if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
  const low = unit < 0xdc00 && text.startsWith("\\u", at + 6) ? hexUnit(text, at + 6) : 0;
  if (low < 0xdc00 || low > 0xdfff) throw new JsonRefusal(`The JSON has half a surrogate pair at character ${at}.`);
  return String.fromCharCode(unit, low);
}

function hexUnit(text: string, at: number): number {
  const digits = text.slice(at + 2, at + 6);
  if (text.charAt(at + 1) !== "u" || !/^[0-9A-Fa-f]{4}$/.test(digits)) {
    throw new JsonRefusal(`The JSON has an invalid escape at character ${at}.`);
  }
  return Number.parseInt(digits, 16);
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?/y;
const NUMBER_CHARS_MAX = 32;
const SIGNIFICANT_DIGITS_MAX = 15;

/**
 * The source text of the number at `at`. Only numbers that every library reads as the same value: integers up to
 * ±(2^53-1) (RFC 8259 §6), fractions of up to 15 significant digits (what a double keeps), no exponent, no minus zero.
 */
export function scanNumber(text: string, at: number): string {
  NUMBER.lastIndex = at;
  const source = NUMBER.exec(text)?.[0];
  if (source === undefined || /[0-9.eE+-]/.test(text.charAt(at + source.length))) {
    throw new JsonRefusal(`The JSON number at character ${at} must be plain: no exponent, plus sign or leading zero.`);
  }
  const refusal = numberRefusal(source);
  if (refusal !== undefined) throw new JsonRefusal(`The JSON number at character ${at} ${refusal}.`);
  return source;
}

function numberRefusal(source: string): string | undefined {
  if (source.length > NUMBER_CHARS_MAX) return `has ${source.length} characters; the limit is ${NUMBER_CHARS_MAX}`;
  const value = Number(source);
  if (value === 0 && source.startsWith("-")) return "is minus zero; write 0";
  if (!source.includes(".")) {
    return Number.isSafeInteger(value) ? undefined : "is beyond 2^53-1, where parsers round; send it as a string";
  }
  const significant = source.replace(/[-.]/g, "").replace(/^0+/, "").length;
  return significant > SIGNIFICANT_DIGITS_MAX
    ? `has ${significant} significant digits; the limit is ${SIGNIFICANT_DIGITS_MAX}`
    : undefined;
}
