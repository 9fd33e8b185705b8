import { type TSchema, Type } from "@sinclair/typebox";

/** `expected` is what a value must be, as the end of a sentence: "… must be dollars like 0.0009". */
interface Hints {
  readonly description: string;
  readonly expected?: string;
}

/** Every scalar of a declaration is read as text, as it is written: 0.10 stays 0.10, and no float rounds a price. */
export function text(
  description: string,
  expected = "text",
  pattern = "^[^\\p{Cc}]{1,500}$",
): ReturnType<typeof Type.String> {
  return Type.String({ description, expected, pattern });
}

export function oneOf<const Word extends string>(words: readonly Word[], description: string) {
  return Type.Unsafe<Word>({ type: "string", enum: [...words], description, expected: `one of ${words.join(", ")}` });
}

export function object<Fields extends Record<string, TSchema>>(fields: Fields, hints: Hints) {
  return Type.Object(fields, { additionalProperties: false, ...hints });
}

export const usd = (description: string) =>
  text(description, "dollars like 0.0009 or 12, up to six decimals", "^(0|[1-9][0-9]{0,9})(\\.[0-9]{1,6})?$");
export const count = (description: string) => text(description, "a whole number", "^(0|[1-9][0-9]{0,8})$");
export const POINTER = "(/([^~/\\p{Cc}]|~[01])*)+";
/** RFC 6901, or a form or query field by its name. */
export const place = (description: string) =>
  text(
    description,
    "a JSON pointer like /to or /items/0/n, or the name of a form field like To",
    `^(${POINTER}|[^/\\p{Cc}]{1,200})$`,
  );
export const pointer = (description: string) =>
  text(description, "a JSON pointer like /id or /usage/total", `^(${POINTER})?$`);
export const origin = (description: string) =>
  text(
    description,
    "https://host or https://host:port, with {account} for the account id",
    "^https://[a-z0-9.{}-]+(:[0-9]{1,5})?$",
  );
export const path = (description: string) => text(description, "a path like /v1/me", "^/[A-Za-z0-9._~/{}?=&-]*$");
export const header = (description: string) =>
  text(description, "a header's name like x-api-key", "^[A-Za-z0-9-]{1,60}$");
export const ROUTE = "METHOD /path, where `*` is one segment, `**` the rest, and `*` as method any";
export const route = text(ROUTE, "an endpoint like POST /v1/emails", "^\\S+ /\\S*$");
