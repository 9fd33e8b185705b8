import { Problem } from "../core/problem.ts";
import { Secret } from "../core/secret.ts";

/** Longer ones do not fit a header beside the rest of a request. */
const SECRET_CHARACTERS_MAX = 4096;

/** Keybrake's own tokens by their beginnings: pasted in a vendor secret's place, they would be sent to the vendor. */
const OWN_TOKEN = /^(?:vault_?key|kb_(?:admin|issuer|auditor))_?/;

/**
 * A vendor's secret as it is sealed: one line feed at the end (files and pipes have one) is taken off.
 * @throws Problem `invalid` for what no vendor's secret looks like; the message never repeats any of it.
 */
export function checkVendorSecret(given: Secret, vendor: string): Secret {
  const text = given.reveal().replace(/\r?\n$/, "");
  const refuse = (what: string, hint: string) => new Problem("invalid", `the secret for ${vendor} ${what}`, hint);
  if (text.trim() === "") throw refuse("is empty", "give the vendor's API key");
  if (text.length > SECRET_CHARACTERS_MAX) {
    throw refuse(
      `has ${text.length} characters; at most ${SECRET_CHARACTERS_MAX} fit a header`,
      "give the API key alone",
    );
  }
  // It is written into a header: a line break in it would begin another one (header injection, RFC 9110 §5.5).
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw refuse("has a space, a line break, or a character beyond ASCII in it", "give the API key alone, on one line");
  }
  if (OWN_TOKEN.test(text)) {
    throw refuse("is one of Keybrake's own tokens", `give the key that ${vendor} gave you, not one for Keybrake`);
  }
  return new Secret(text);
}
