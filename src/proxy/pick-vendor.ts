import { parseVaultKey } from "../vault/vault-key.ts";
import type { Vendor } from "../vendors/vendor.ts";
import type { DataPlane } from "./data-plane.ts";
import type { RingKey, RingKeys } from "./key-ring.ts";
import type { ParsedRequest } from "./parse.ts";
import type { Denial } from "./refusal.ts";

/** The key as calls to the vendor have it; with a denial where the call is none of its vendors', or may be of several. */
export interface PickedKey {
  readonly key: RingKey;
  readonly denial?: Denial;
}

/**
 * For which of the key's vendors a call is: the one that its path begins with; without such a prefix the one whose path it
 * is, and of several with such paths the one whose SDK puts its credential where the vault key stands. A guess would send
 * money to the wrong place: where two are left, none is picked.
 */
export function pickVendor(plane: DataPlane, { target, headers }: ParsedRequest, keys: RingKeys): PickedKey {
  const [first] = keys;
  // What cannot be read is refused before anybody asks for whom it was.
  if (!target) return { key: first };
  const { vendor: named, path } = target;
  if (named !== undefined) {
    const key = keys.find(({ vendor }) => vendor === named);
    return key ? { key } : { key: first, denial: foreign(keys, named) };
  }
  const likely = keys.filter(({ vendor }) => vendorOf(plane, vendor).unprefixed.test(path));
  const [key, ...others] = likely.length > 1 ? byCredential(plane, headers, likely) : likely;
  if (!key)
    return { key: likely[0] ?? first, denial: likely.length > 1 ? ambiguous(likely, path) : unlike(keys, path) };
  return others.length === 0 ? { key } : { key, denial: ambiguous([key, ...others], path) };
}

function vendorOf(plane: DataPlane, name: string): Vendor {
  return plane.vendors.setupOf(name).vendor;
}

/** Those whose SDK puts its credential in a header that holds the vault key, or, where none does, in Authorization. */
function byCredential(
  plane: DataPlane,
  headers: ReadonlyMap<string, string>,
  keys: readonly RingKey[],
): readonly RingKey[] {
  const headersOf = ({ vendor }: RingKey) => vendorOf(plane, vendor).credentialHeaders;
  const isThere = (name: string) => parseVaultKey(headers.get(name) ?? "").ok;
  const special = keys.filter((key) => headersOf(key).some(isThere));
  return special.length > 0 ? special : keys.filter((key) => headersOf(key).length === 0);
}

function foreign(keys: RingKeys, named: string): Denial {
  const message = `This vault key is for ${listed(keys, "and")}, not for ${named}; use a key issued for ${named}.`;
  return { code: "endpoint_denied", rule: "vendor", message, details: {} };
}

function unlike(keys: RingKeys, path: string): Denial {
  const ending = listed(keys, "or", "/");
  const message = `${path.slice(0, 60)} is no path of ${listed(keys, "or")}, and begins with no vendor's name; the base URL ends in ${ending}.`;
  return { code: "vendor_unknown", rule: "vendor", message, details: {} };
}

function ambiguous(keys: readonly RingKey[], path: string): Denial {
  const prefixes = listed(keys, "or", "/");
  const message = `${path.slice(0, 60)} may be meant for ${listed(keys, "or")}, for which this vault key is; begin the path with ${prefixes} (the base URL ends in it).`;
  return { code: "vendor_unknown", rule: "vendor", message, details: {} };
}

/** `stripe`, `stripe and twilio`, `/stripe, /twilio or /resend` */
function listed(keys: readonly RingKey[], word: "and" | "or", before: string = ""): string {
  const names = keys.map(({ vendor }) => before + vendor);
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} ${word} ${names.at(-1)}`;
}
