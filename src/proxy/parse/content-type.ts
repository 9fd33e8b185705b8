import type { BodyKind } from "../../core/call.ts";
import { type Parsed, parsed, quoted, rejected } from "./rejection.ts";

/** Nearly every call's; made once. */
const NONE = parsed<BodyKind>("none");
const PLAIN_FORM = parsed<BodyKind>("form");
const FORM = /^application\/x-www-form-urlencoded(?:[ \t]*;[ \t]*charset=utf-8)?$/;
const JSON_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset=utf-8)?$/;
/** Unquoted RFC 2046 boundary of token characters, which is what every HTTP client writes; no other parameter. */
const MULTIPART = /^multipart\/form-data[ \t]*;[ \t]*boundary=[A-Za-z0-9'+_.-]{1,70}$/;
/** Files. No server takes parameters out of these, so nothing in them can escape the policy. */
const FILE = /^(?:application\/(?:octet-stream|pdf)|text\/csv|(?:image|audio|video)\/[a-z0-9][a-z0-9.+-]{0,62})$/;

/**
 * What kind of body a `Content-Type` announces; `none` where there is no such header. Types are matched in lower case
 * as every SDK writes them; only `charset=UTF-8` and a boundary may have capitals. Every other type (`text/plain`,
 * `text/json`, `application/xml`, `application/vnd.x+json`, another charset) is `encoding_unsupported`: a vendor that
 * guesses would find parameters in a body that was never judged.
 */
export function parseContentType(value: string | undefined): Parsed<BodyKind> {
  if (value === undefined) return NONE;
  if (value === "application/x-www-form-urlencoded") return PLAIN_FORM;
  const lowered = lowerCharset(value);
  if (FORM.test(lowered)) return parsed("form");
  if (JSON_TYPE.test(lowered)) return parsed("json");
  if (MULTIPART.test(value)) return parsed("multipart");
  if (FILE.test(value)) return parsed("opaque");
  return rejected(
    `The Content-Type ${quoted(value)} is not one that Keybrake forwards; send application/x-www-form-urlencoded or application/json in UTF-8, as the endpoint documents.`,
    "encoding_unsupported",
  );
}

/**
 * The kind of a body of `bodyBytes` bytes. An empty body is `none` whatever the header says (stripe-node sends a form
 * content type with every GET); a body without a content type is refused.
 */
export function parseBodyKind(contentType: string | undefined, bodyBytes: number): Parsed<BodyKind> {
  if (bodyBytes === 0) return NONE;
  if (contentType !== undefined) return parseContentType(contentType);
  return rejected(
    "The request has a body but no Content-Type; send the one that the endpoint documents.",
    "encoding_unsupported",
  );
}

/** Lower-cases the parameters only: `application/json; charset=UTF-8`. */
function lowerCharset(value: string): string {
  const semicolon = value.indexOf(";");
  return semicolon === -1 ? value : value.slice(0, semicolon) + value.slice(semicolon).toLowerCase();
}
