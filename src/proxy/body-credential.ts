import type { Call, JsonValue } from "../core/call.ts";
import { parseVaultKey } from "../vault/vault-key.ts";
import type { Vendor } from "../vendors/vendor.ts";

/** What stands in the field in which the vendor's SDK repeats its credential; undefined where the body has none. */
export function bodyToken({ credentialBodyField: field }: Vendor, json: JsonValue | undefined): JsonValue | undefined {
  if (field === undefined || typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const object = json as Readonly<Record<string, JsonValue>>;
  return Object.hasOwn(object, field) ? object[field] : undefined;
}

/**
 * Why a body may not have its vault key replaced by the secret: the field must hold this very key, and the key may stand
 * nowhere else. An agent that could choose another place would have the real secret written into an event it can read.
 */
export function bodyTokenProblem(vendor: Vendor, call: Call, tokenHash: Uint8Array): string | undefined {
  const { credentialBodyField: field } = vendor;
  if (field === undefined || call.bodyKind !== "json") return undefined;
  const token = bodyToken(vendor, call.json);
  // A lenient vendor would read another spelling, in which a credential of the agent's own could stand.
  const other = [...call.bodyFields.keys()].find((name) => name !== field && rootOf(name) === field.toLowerCase());
  if (other !== undefined) return `The field ${JSON.stringify(other.slice(0, 60))} has to be written ${field}.`;
  if (token === undefined) return undefined;
  const parsed = typeof token === "string" ? parseVaultKey(token) : undefined;
  if (typeof token !== "string" || !parsed?.ok || !Buffer.from(parsed.hash).equals(tokenHash)) {
    return `The field ${field} must hold the vault key of this call, or be left out.`;
  }
  const elsewhere = [...call.bodyFields].some(
    ([name, value]) => name.includes(token) || (name !== field && value.includes(token)),
  );
  if (!elsewhere && occurrences(call.body, token) === 1 && standsInField(vendor, call, token)) return undefined;
  return `The vault key may stand in the field ${field} of the body, as it is, and nowhere else in it.`;
}

/**
 * Whether the one place in which the key is spelt out is the field's: with escapes in the field, it could be the name of an
 * empty object, which has no leaf and so is among no `bodyFields`.
 */
function standsInField(vendor: Vendor, call: Call, token: string): boolean {
  const probe = `${token}-`;
  return bodyToken(vendor, JSON.parse(view(withSecret(call, token, probe)).toString("utf8")) as JsonValue) === probe;
}

/** The body with the secret in the place of the vault key; every other byte as it came. */
export function withSecret(call: Call, token: string, secret: string): Uint8Array {
  const bytes = view(call.body);
  const at = bytes.indexOf(token, 0, "latin1");
  const written = Buffer.from(JSON.stringify(secret).slice(1, -1));
  return Buffer.concat([bytes.subarray(0, at), written, bytes.subarray(at + token.length)]);
}

/** `writekey` for `WriteKey[0]`, too: whatever is in a field of that name. */
function rootOf(name: string): string {
  const bracket = name.indexOf("[");
  return (bracket === -1 ? name : name.slice(0, bracket)).trim().toLowerCase();
}

function occurrences(body: Uint8Array, token: string): number {
  const bytes = view(body);
  let count = 0;
  for (let at = bytes.indexOf(token, 0, "latin1"); at !== -1; at = bytes.indexOf(token, at + 1, "latin1")) count += 1;
  return count;
}

function view(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
