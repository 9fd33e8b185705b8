import { type Fields, NO_FIELDS } from "../../core/call.ts";
import { FieldNames } from "./field-names.ts";
import { type Parsed, parsed, quoted, rejected } from "./rejection.ts";
import { decodeUtf8 } from "./utf8.ts";

export interface FormOptions {
  /**
   * Names that the vendor reads as a list when they are repeated (Twilio's `MediaUrl`). They are always numbered, also
   * where they stand only once: `MediaUrl[0]`.
   */
  readonly repeatable: ReadonlySet<string>;
  readonly fieldsMax: number;
  /** Most brackets in a name: `a[b][c]` has two. */
  readonly nestingMax: number;
}

export const FORM_FIELDS_MAX = 1000;
export const FORM_NESTING_MAX = 8;

/** The limits of the data plane, with the vendor's own list of repeatable names. */
export function formOptions(repeatable: ReadonlySet<string>): FormOptions {
  return { repeatable, fieldsMax: FORM_FIELDS_MAX, nestingMax: FORM_NESTING_MAX };
}

/** Anything but printable ASCII without space, `%`, `+` and `;`: what has to be looked at or decoded. */
const NOT_PLAIN = /[^\x21-\x24\x26-\x2a\x2c-\x3a\x3c-\x7e]/;
const RAW_CONTROL = /[\x00-\x1f\x7f]/;
/** Controls but tab, line feed and carriage return, which texts have. */
const VALUE_REFUSED = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/;
/** npm's qs looks for `]=` before `=` and would split the pair there: `a=[b]=c` is `a=[b]` → `c` to it. */
const LATE_BRACKET = /(?:\]|%5[Dd])=/;

/**
 * Reads `application/x-www-form-urlencoded` strictly: what is accepted is one list of names and values to every form
 * parser there is, once `x[]` is written `x[0]`, `x[1]`. Names are checked by `FieldNames`. Refused besides: empty pairs,
 * pairs without `=`, a bare `;` (a separator to older parsers), `+` in a name, invalid escapes or UTF-8, and controls.
 */
export function parseForm(input: string | Uint8Array, options: FormOptions): Parsed<Fields> {
  const text = typeof input === "string" ? input : decodeUtf8(input);
  if (text === undefined) return rejected("The form is not valid UTF-8.");
  if (text === "") return parsed(NO_FIELDS);
  // Asked of the whole once: in a form that is plain no name and no value has to be asked.
  const isPlain = !NOT_PLAIN.test(text);
  if (!isPlain) {
    if (text.includes(";"))
      return rejected('The form has a bare ";", which some parsers take for a separator; write %3B.');
    if (RAW_CONTROL.test(text))
      return rejected("The form has a control character or a line break; write it as an escape.");
  }
  const fields = new Map<string, string>();
  const names = new FieldNames(fields, options.repeatable, options.nestingMax);
  let pairs = 0;
  for (let start = 0; start <= text.length; ) {
    const ampersand = text.indexOf("&", start);
    const end = ampersand === -1 ? text.length : ampersand;
    if (++pairs > options.fieldsMax) return rejected(`The form has more than ${options.fieldsMax} fields.`);
    const refusal = readPair(text, start, end, isPlain, names, fields);
    if (refusal !== undefined) return rejected(refusal);
    start = end + 1;
  }
  const refusal = names.dotRefusal();
  return refusal === undefined ? parsed(fields) : rejected(refusal);
}

/** Adds one pair to `fields`, or says why not. */
function readPair(
  text: string,
  start: number,
  end: number,
  isPlain: boolean,
  names: FieldNames,
  fields: Map<string, string>,
): string | undefined {
  if (start === end) return 'The form has an empty pair (a "&" too many); leave it out.';
  const equals = text.indexOf("=", start);
  if (equals === -1 || equals >= end) return `The pair ${quoted(text.slice(start, end))} has no "="; write name=value.`;
  const rawName = text.slice(start, equals);
  const name = isPlain || !NOT_PLAIN.test(rawName) ? rawName : decodeName(rawName);
  if (name === undefined) {
    return `The field name ${quoted(rawName)} has a space, a "+", a bare non-ASCII character or an invalid escape; write each as the escape of UTF-8, without spaces.`;
  }
  const canonical = names.claim(name);
  if (canonical === undefined) return names.refusal;
  const rawValue = text.slice(equals + 1, end);
  const value = isPlain || !NOT_PLAIN.test(rawValue) ? rawValue : decodeValue(rawValue);
  if (value === undefined) {
    return `The value of ${quoted(canonical)} has an invalid escape, is not UTF-8, has a control character, or begins or ends with a bare space.`;
  }
  if (rawValue.includes("=") && LATE_BRACKET.test(rawValue))
    return `The value of ${quoted(canonical)} has a bare "=" after a "]"; write %3D.`;
  fields.set(canonical, value);
  return undefined;
}

function decodeName(raw: string): string | undefined {
  return /[ +]|[^\x00-\x7f]/.test(raw) ? undefined : decodeEscapes(raw);
}

function decodeValue(raw: string): string | undefined {
  if (raw.startsWith(" ") || raw.endsWith(" ") || !raw.isWellFormed()) return undefined;
  const value = decodeEscapes(raw.includes("+") ? raw.replaceAll("+", " ") : raw);
  return value === undefined || VALUE_REFUSED.test(value) ? undefined : value;
}

/** decodeURIComponent is the strict reader wanted here: it throws on `%`, `%zz`, overlong forms and surrogates. */
function decodeEscapes(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
