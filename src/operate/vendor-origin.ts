import { isAddress, isPublicAddress } from "../core/address.ts";
import { Problem } from "../core/problem.ts";

/** Names that lead to the inside by their nature (RFC 6761, RFC 6762, clouds' metadata servers). */
const INTERNAL_NAME = /^(?:localhost|(?:.*\.)?(?:localhost|local|internal))\.?$/;

/**
 * An operator's origin for a vendor in its canonical form, `https://host[:port]`. Without `isPrivate` only https to a name
 * or address of the public internet: an agent must not be able to reach the inside through a mistyped origin.
 * @throws Problem `invalid` that says what is wrong with it.
 */
export function checkOrigin(text: string, isPrivate: boolean): string {
  const refuse = (what: string, hint = "write it like https://api.example.com") =>
    new Problem("invalid", `origin: ${JSON.stringify(text.slice(0, 200))} ${what}`, hint);
  // Before URL reads it: it would drop tabs and line breaks and take a backslash for a slash (WHATWG URL §4.4).
  if (!/^https?:\/\/[^\s\\/?#@]+\/?$/i.test(text) || !URL.canParse(text)) {
    throw refuse("must be http(s)://host[:port] and nothing else: no user, path, query or fragment");
  }
  const url = new URL(text);
  if (isPrivate) return url.origin;
  const privately = "give --private for a test double or a service of your own network";
  if (url.protocol !== "https:") throw refuse("is not https", privately);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (INTERNAL_NAME.test(host)) throw refuse("is a name of this machine or network", privately);
  if (isAddress(host) && !isPublicAddress(host)) {
    throw refuse("is a private, loopback, link-local or otherwise reserved address", privately);
  }
  return url.origin;
}
