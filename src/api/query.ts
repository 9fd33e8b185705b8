import { type TSchema, Type } from "@sinclair/typebox";
import { Problem } from "../core/problem.ts";
import { AUDIT_ROWS_PER_PAGE_MAX } from "../operate/audit.ts";

/** A parameter of a query: always text on the wire. */
export function parameter(description: string) {
  return Type.Optional(Type.String({ description, minLength: 1, "x-allowed": "text that is not empty" }));
}

/** `true` or `false`. */
export function flag(description: string) {
  const words = Type.Union([Type.Literal("true"), Type.Literal("false")]);
  return Type.Optional({ ...words, description, "x-allowed": "true or false" });
}

/** A whole number above 0, in decimal digits. */
export function count(description: string) {
  return Type.Optional(
    Type.String({ description, pattern: "^[1-9][0-9]{0,8}$", "x-allowed": "a whole number above 0" }),
  );
}

/** A query that knows these parameters and no others: a misspelt filter must not show everything. */
export function query<Properties extends Readonly<Record<string, TSchema>>>(properties: Properties) {
  return Type.Object(properties, { additionalProperties: false });
}

export const AUDIT_FILTER = {
  run: parameter("Calls of this run: its label, or the request's own X-Agent-Run-Id."),
  label_contains: parameter("Calls of keys with this in their run label."),
  key_id: parameter("Calls with this vault key (vk_…)."),
  vendor: parameter("Calls to this vendor."),
  verdict: parameter("Calls with this verdict, such as cap_exceeded."),
  state: parameter("refused, held, settled, released or unresolved."),
  customer: parameter("Calls that concern this customer of the vendor's."),
  triggering_event_id: parameter("Calls that this event triggered (X-Triggering-Event-Id)."),
  since: parameter("Calls from then on: 24h back from now, or 2026-01-31T12:00:00Z."),
  until: parameter("Calls before then; written like since."),
};

/** The number of rows that a query asks for, `standard` where it does not say. */
export function limitOf(text: string | undefined, standard: number, max = AUDIT_ROWS_PER_PAGE_MAX): number {
  const limit = text === undefined ? standard : Number(text);
  if (limit <= max) return limit;
  throw new Problem("invalid", `limit is ${limit}; a page has at most ${max}`, "ask for less, and use the cursor");
}

/** Without the entries that are undefined: an optional field is either there or not. */
export function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
  };
}
