import type { RefusalCode } from "../core/verdict.ts";
import { parseVaultKey } from "../vault/vault-key.ts";
import { bodyToken } from "./body-credential.ts";
import type { DataPlane } from "./data-plane.ts";
import type { RingKeys } from "./key-ring.ts";
import { parseBodyKind } from "./parse/content-type.ts";
import { parseStrictJson } from "./parse/json.ts";
import type { ParsedRequest } from "./parse.ts";

export type Caller =
  | { readonly known: true; readonly keys: RingKeys; readonly tokenHash: Uint8Array }
  | { readonly known: false; readonly code: RefusalCode; readonly message: string };

/**
 * Whose call it is: the vault key wherever any vendor's SDK puts its secret. Whether the key is still good is not asked
 * here but in the transaction that holds the money, so that no revoke can slip between.
 */
export async function authenticate(plane: DataPlane, request: ParsedRequest): Promise<Caller> {
  let seen = false;
  let damaged = false;
  let found: Uint8Array | undefined;
  for (const text of credentials(plane, request)) {
    seen = true;
    const token = parseVaultKey(text);
    if (token.ok) {
      if (found && !Buffer.from(found).equals(token.hash)) {
        return {
          known: false,
          code: "request_rejected",
          message: "The request carries two different vault keys; send one.",
        };
      }
      found = token.hash;
    } else if (token.why === "bad_checksum") {
      damaged = true;
    }
  }
  const keys = found && (await plane.keys.find(found));
  if (keys) return { known: true, keys, tokenHash: found! };
  if (request.rejection) return { known: false, ...request.rejection };
  if (!seen) {
    const message = "No vault key was sent; put it where the SDK wants the vendor's API key.";
    return { known: false, code: "key_missing", message };
  }
  const message = found
    ? "This vault key is not known to this server; it may belong to another installation."
    : damaged
      ? "This vault key is damaged (its checksum does not fit); copy it again."
      : "What was sent as API key is not a vault key; use one from `keybrake key issue`, never the vendor's own secret.";
  return { known: false, code: "key_unknown", message };
}

/** Whatever stands where some SDK puts its API key; the body is looked at only where no header has anything. */
function credentials(plane: DataPlane, request: ParsedRequest): readonly string[] {
  const { headers } = request;
  const authorization = headers.get("authorization");
  const found = authorization === undefined ? [] : authorizationTokens(authorization);
  for (const name of plane.vendors.credentialHeaders) {
    const value = headers.get(name);
    if (value !== undefined) found.push(value);
  }
  return found.length > 0 ? found : bodyCredentials(plane, request);
}

/** Of a vendor that the path names and whose SDKs may send their key in the body alone (Segment's `writeKey`). */
function bodyCredentials(plane: DataPlane, { target, incoming, headers }: ParsedRequest): string[] {
  const vendor = target?.vendor === undefined ? undefined : plane.vendors.get(target.vendor)?.vendor;
  if (vendor?.credentialBodyField === undefined) return [];
  const kind = parseBodyKind(headers.get("content-type"), incoming.body.length);
  const document = kind.ok && kind.value === "json" ? parseStrictJson(incoming.body) : undefined;
  const token = document?.ok ? bodyToken(vendor, document.value.value) : undefined;
  return typeof token === "string" ? [token] : [];
}

/** RFC 6750 Bearer, RFC 7617 Basic with the key as user name or as password, or the key after another word (`Token …`). */
function authorizationTokens(value: string): string[] {
  const space = value.indexOf(" ");
  const scheme = value.slice(0, space).toLowerCase();
  const rest = value.slice(space + 1);
  if (scheme !== "basic") return [rest];
  const decoded = Buffer.from(rest, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return colon === -1 ? [decoded] : [decoded.slice(0, colon), decoded.slice(colon + 1)].filter((part) => part !== "");
}
