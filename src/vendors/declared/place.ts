import { type Call, field, type JsonValue } from "../../core/call.ts";

/** Where in a request something stands: a JSON pointer (RFC 6901), or the name of a form or query field. */
export type Place =
  | { readonly kind: "pointer"; readonly text: string; readonly segments: readonly string[] }
  | { readonly kind: "field"; readonly text: string };

/** What is read at a place. `null` is missing: vendors take it for a field that was left out. */
export type Reading =
  | { readonly state: "there"; readonly value: JsonValue; readonly text: string }
  | { readonly state: "missing" }
  /** Something is there that two readers could take for different things; `why` begins with the place. */
  | { readonly state: "odd"; readonly why: string };

/** The part of a request in which places are looked up: its body, or one entry of a list in it. */
export interface Subject {
  readonly call: Call;
  readonly value: JsonValue | undefined;
  /** The name of `value` among `call.bodyFields`: empty for the body, `Messages[0]` for an entry. */
  readonly name: string;
}

const MISSING: Reading = { state: "missing" };

export function parsePlace(text: string): Place {
  return text === "" || text.startsWith("/")
    ? { kind: "pointer", text, segments: pointerSegments(text) }
    : { kind: "field", text };
}

export function pointerSegments(text: string): readonly string[] {
  if (text === "") return [];
  return text
    .slice(1)
    .split("/")
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

export function subjectOf(call: Call): Subject {
  return { call, value: call.json, name: "" };
}

/** Looks `place` up. A name that differs from the one wanted in case or space alone is odd: another reader may take it. */
export function readPlace(subject: Subject, place: Place): Reading {
  const elsewhere = readElsewhere(subject, place);
  if (elsewhere !== undefined) return { state: "odd", why: elsewhere };
  return place.kind === "field" ? readField(subject.call, place.text) : readPointer(subject, place);
}

/** Why the vendor could find in this request, by another reading, what is not looked for there: then nothing is missing. */
function readElsewhere({ call, name }: Subject, place: Place): string | undefined {
  const { bodyKind, queryFields } = call;
  const isRead = bodyKind === "none" || bodyKind === "json" || (bodyKind === "form" && place.kind === "field");
  if (!isRead) return `${quoted(place.text)} cannot be read in a body of the kind ${bodyKind}`;
  const [root] = place.kind === "pointer" && name === "" ? place.segments : [];
  if (root === undefined || queryFields.size === 0) return undefined;
  const wanted = fold(root);
  const other = [...queryFields.keys()].find((each) => fold(each.split(/[[.]/, 1)[0]!) === wanted);
  return other === undefined ? undefined : `the field ${quoted(other)} has to stand in the JSON body`;
}

function readField(call: Call, name: string): Reading {
  const wanted = fold(name);
  const list = `${name}[`;
  const entries = new Map<string, JsonValue>();
  for (const fields of [call.bodyFields, call.queryFields]) {
    for (const [each, value] of fields) {
      const folded = fold(each);
      if (folded !== wanted && !folded.startsWith(`${wanted}[`)) continue;
      if (each !== name && !each.startsWith(list)) {
        return { state: "odd", why: `the field ${quoted(each)} has to be written ${name}` };
      }
      if (each !== name) addEntry(entries, each.slice(list.length), value);
    }
  }
  const text = field(call, name);
  if (entries.size === 0) return text === undefined ? MISSING : { state: "there", value: text, text };
  const isList = [...entries.keys()].every((key) => /^[0-9]+$/.test(key));
  return { state: "there", value: isList ? [...entries.values()] : Object.fromEntries(entries), text: "" };
}

/** `rest` is `0]` for `To[0]`, and `0][email]` for a field of an entry that is no text. */
function addEntry(entries: Map<string, JsonValue>, rest: string, value: string): void {
  const end = rest.indexOf("]");
  entries.set(rest.slice(0, end), end === rest.length - 1 ? value : {});
}

function readPointer({ call, value: root, name: rootName }: Subject, place: Place & { kind: "pointer" }): Reading {
  let value: JsonValue | undefined = root;
  let name = rootName;
  for (const segment of place.segments) {
    if (value === undefined || value === null) return MISSING;
    if (typeof value !== "object") return { state: "odd", why: `${place.text} leads through ${kindOf(value)}` };
    name = name === "" && !Array.isArray(value) ? segment : `${name}[${segment}]`;
    if (Array.isArray(value)) {
      value = /^(?:0|[1-9][0-9]{0,5})$/.test(segment) ? (value as readonly JsonValue[])[Number(segment)] : undefined;
      continue;
    }
    const object = value as Readonly<Record<string, JsonValue>>;
    const other = misspelling(object, segment);
    if (other !== undefined) return { state: "odd", why: `the field ${quoted(other)} has to be written ${segment}` };
    value = Object.hasOwn(object, segment) ? object[segment] : undefined;
  }
  if (value === undefined || value === null) return MISSING;
  // As it is written: 0.1 is no float here.
  return { state: "there", value, text: call.bodyFields.get(name) ?? "" };
}

function misspelling(object: Readonly<Record<string, JsonValue>>, wanted: string): string | undefined {
  const folded = fold(wanted);
  return Object.keys(object).find((key) => key !== wanted && fold(key) === folded);
}

/** Letter case, width and surrounding space, by which lenient readers do not tell names apart. */
function fold(name: string): string {
  return name.normalize("NFKC").trim().toLowerCase();
}

export function kindOf(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

/** The value at a pointer of an answer; undefined where there is none. */
export function valueAt(json: JsonValue | undefined, segments: readonly string[]): JsonValue | undefined {
  let value = json;
  for (const segment of segments) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Object.hasOwn(value, segment) ? (value as Readonly<Record<string, JsonValue>>)[segment] : undefined;
  }
  return value;
}
