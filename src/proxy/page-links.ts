import type { JsonValue } from "../core/call.ts";
import type { Vendor } from "../vendors/vendor.ts";

/** What a link is translated by: the vendor's hosts, and which fields its SDKs follow. */
export type LinkedVendor = Pick<Vendor, "origin" | "productOrigins" | "pathOrigins" | "pageLinks">;

/**
 * The same JSON with the links to further pages leading to the proxy (`baseUrl` is its address with the vendor's prefix:
 * `http://127.0.0.1:7878/twilio`): an SDK follows them as they are, and would send its vault key to the vendor. Only the
 * text of those links changes. Undefined where there is none to change.
 * @param ownOrigin where the operator points the vendor elsewhere, with the products in the path
 */
export function rewritePageLinks(
  vendor: LinkedVendor,
  baseUrl: string,
  json: Uint8Array,
  ownOrigin?: string,
): Uint8Array | undefined {
  if (!vendor.pageLinks || json.length === 0) return undefined;
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString("utf8");
  const parsed = parse(text);
  let changed = text;
  for (const path of vendor.pageLinks.fields) {
    const link = valueAt(parsed, path);
    const name = path.at(-1);
    if (typeof link !== "string" || name === undefined) continue;
    const translated = translate(vendor, baseUrl, link, ownOrigin);
    if (translated !== undefined) changed = replaceValue(changed, name, link, translated);
  }
  return changed === text ? undefined : Buffer.from(changed, "utf8");
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function valueAt(json: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let value = json;
  for (const name of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    value = (value as { readonly [key: string]: JsonValue })[name];
  }
  return value;
}

/** `https://verify.twilio.com/v2/Services?Page=1` → `http://127.0.0.1:7878/twilio/verify/v2/Services?Page=1`. */
function translate(vendor: LinkedVendor, baseUrl: string, link: string, ownOrigin?: string): string | undefined {
  if (!URL.canParse(link)) return undefined;
  const { origin, pathname, search, username, password } = new URL(link);
  if (username !== "" || password !== "") return undefined;
  const rest = `${pathname}${search}`;
  if (origin === vendor.origin || origin === ownOrigin) return `${baseUrl}${rest}`;
  for (const [product, productOrigin] of Object.entries(vendor.productOrigins)) {
    if (origin === productOrigin) return `${baseUrl}/${product}${rest}`;
  }
  const isOnOtherHost = vendor.pathOrigins.some((each) => each.origin === origin && each.pattern.test(pathname));
  return isOnOtherHost ? `${baseUrl}${rest}` : undefined;
}

const ESCAPES = /[.*+?^${}()|[\]\\]/g;

/** Every member `name` whose value is `from`, however its characters are escaped, now with `to`; all else byte for byte. */
function replaceValue(text: string, name: string, from: string, to: string): string {
  const member = new RegExp(`("${name.replace(ESCAPES, "\\$&")}"\\s*:\\s*)("(?:[^"\\\\]|\\\\.)*")`, "g");
  return text.replace(member, (whole, key: string, value: string) =>
    JSON.parse(value) === from ? key + JSON.stringify(to) : whole,
  );
}
