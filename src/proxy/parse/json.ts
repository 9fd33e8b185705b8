import type { Fields, JsonValue } from "../../core/call.ts";
import { FIELD_NAME_CHARS_MAX, foldName } from "./field-names.ts";
import { JsonRefusal, scanNumber, scanString } from "./json-scalar.ts";
import { type Parsed, parsed, quoted, rejected } from "./rejection.ts";
import { decodeUtf8 } from "./utf8.ts";

export interface JsonOptions {
  /** Most arrays and objects within one another. */
  readonly nestingMax: number;
  /** Most values, objects and arrays included. */
  readonly valuesMax: number;
}

/** A Resend batch of 100 e-mails with all its options has some thousand values. */
export const JSON_LIMITS: JsonOptions = { nestingMax: 32, valuesMax: 20_000 };

export interface StrictJson {
  readonly value: JsonValue;
  /**
   * Every leaf by its bracket name: `to[0]`, `amount[value]`; of an array at the top `[0][to][1]`. Strings are decoded,
   * numbers as they are written, `true`, `false` and `null` as these words. An empty array or object has no leaf.
   */
  readonly fields: Fields;
}

/**
 * Reads a JSON body strictly, in one pass: RFC 8259 with no extension, in UTF-8 without a byte order mark, an object or
 * array at the top. Refused are all texts that JSON libraries read differently (see "Parsing JSON is a minefield"): keys
 * that are the same or differ only in letter case, also by escapes; `__proto__`; NUL and lone surrogates; numbers that
 * some round. Keys that are empty or have brackets are refused too, so that each leaf has one name.
 */
export function parseStrictJson(bytes: Uint8Array, options: JsonOptions = JSON_LIMITS): Parsed<StrictJson> {
  const text = decodeUtf8(bytes);
  if (text === undefined) return rejected("The JSON body is not valid UTF-8.");
  if (text.charCodeAt(0) === 0xfeff) return rejected("The JSON body begins with a byte order mark; leave it out.");
  try {
    return parsed(new JsonScanner(text, options).scan());
  } catch (error) {
    if (error instanceof JsonRefusal) return rejected(error.message);
    throw error;
  }
}

const KEY_REFUSED = /[[\]\x00-\x1f\x7f-\x9f]/;

class JsonScanner {
  private at = 0;
  private values = 0;
  private readonly fields = new Map<string, string>();
  private readonly text: string;
  private readonly options: JsonOptions;

  constructor(text: string, options: JsonOptions) {
    this.text = text;
    this.options = options;
  }

  scan(): StrictJson {
    const first = this.next();
    if (first !== 0x7b && first !== 0x5b) throw new JsonRefusal("The JSON body must be an object or an array.");
    const value = this.scanValue("", 1);
    this.next();
    if (this.at < this.text.length)
      throw new JsonRefusal(`The JSON body goes on after its end, at character ${this.at}.`);
    return { value, fields: this.fields };
  }

  /** `nesting` is what an array or object that begins here would have. */
  private scanValue(name: string, nesting: number): JsonValue {
    if (++this.values > this.options.valuesMax) {
      throw new JsonRefusal(`The JSON body has more than ${this.options.valuesMax} values.`);
    }
    const code = this.next();
    if (code === 0x22) {
      const value = this.scanText();
      this.fields.set(name, value);
      return value;
    }
    if (code === 0x7b || code === 0x5b) {
      if (nesting > this.options.nestingMax) {
        throw new JsonRefusal(`The JSON body is nested deeper than ${this.options.nestingMax} levels.`);
      }
      this.at++;
      return code === 0x7b ? this.scanObject(name, nesting) : this.scanArray(name, nesting);
    }
    return code === 0x2d || (code >= 0x30 && code <= 0x39) ? this.scanNumber(name) : this.scanWord(name);
  }

  private scanObject(name: string, nesting: number): JsonValue {
    const object: Record<string, JsonValue> = {};
    if (this.skip(0x7d)) return object;
    const keys = new Set<string>();
    do {
      if (this.next() !== 0x22) throw this.unexpected("a key in double quotes");
      const key = this.scanText();
      checkKey(key, keys, object);
      if (!this.skip(0x3a)) throw this.unexpected('":"');
      object[key] = this.scanValue(name === "" ? bounded(key) : bounded(`${name}[${key}]`), nesting + 1);
    } while (this.skip(0x2c));
    if (!this.skip(0x7d)) throw this.unexpected('"," or "}"');
    return object;
  }

  private scanArray(name: string, nesting: number): JsonValue {
    const array: JsonValue[] = [];
    if (this.skip(0x5d)) return array;
    do {
      array.push(this.scanValue(bounded(`${name}[${array.length}]`), nesting + 1));
    } while (this.skip(0x2c));
    if (!this.skip(0x5d)) throw this.unexpected('"," or "]"');
    return array;
  }

  private scanText(): string {
    const { value, end } = scanString(this.text, this.at);
    this.at = end;
    return value;
  }

  private scanNumber(name: string): number {
    const source = scanNumber(this.text, this.at);
    this.at += source.length;
    this.fields.set(name, source);
    return Number(source);
  }

  private scanWord(name: string): JsonValue {
    for (const [word, value] of WORDS) {
      if (!this.text.startsWith(word, this.at)) continue;
      this.at += word.length;
      this.fields.set(name, word);
      return value;
    }
    throw this.unexpected("a value");
  }

  /** Skips white space; the code of the next character, NaN at the end. */
  private next(): number {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.at++;
    }
  }

  /** Goes past the character `code` if it is next. */
  private skip(code: number): boolean {
    if (this.next() !== code) return false;
    this.at++;
    return true;
  }

  private unexpected(wanted: string): JsonRefusal {
    const found = this.at < this.text.length ? quoted(this.text.charAt(this.at)) : "the end";
    return new JsonRefusal(`The JSON body has ${found} at character ${this.at}, where ${wanted} must be.`);
  }
}

const WORDS: readonly (readonly [string, JsonValue])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

function checkKey(key: string, keys: Set<string>, object: Readonly<Record<string, JsonValue>>): void {
  if (key === "" || key === "__proto__" || KEY_REFUSED.test(key)) {
    throw new JsonRefusal(
      `The JSON key ${quoted(key)} is refused: empty, "__proto__", or with a bracket or control character.`,
    );
  }
  const folded = foldName(key);
  if (keys.has(folded)) {
    const how = Object.hasOwn(object, key) ? "is there more than once" : "is there in two letter cases";
    throw new JsonRefusal(`The JSON key ${quoted(key)} ${how} in one object; send it once.`);
  }
  keys.add(folded);
}

/** Without this limit, a long key around many values would make names of many times the body's size. */
function bounded(name: string): string {
  if (name.length <= FIELD_NAME_CHARS_MAX) return name;
  throw new JsonRefusal(
    `A JSON field's whole name has ${name.length} characters; the limit is ${FIELD_NAME_CHARS_MAX}.`,
  );
}
