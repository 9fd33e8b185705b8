import type { JsonValue } from "../../core/call.ts";
import { bareAddress, isObject } from "../resend-emails.ts";
import { kindOf, quoted } from "./place.ts";

export type Addresses =
  | { readonly ok: true; readonly addresses: readonly string[] }
  /** `why` goes on after the field's name. */
  | { readonly ok: false; readonly why: string };

/**
 * Every mail address in a field: text with commas between them (Postmark), a list of texts, or objects with an `email`
 * (SendGrid). An address that two mail readers could take for another, or for several, is refused.
 */
export function addressesOf(value: JsonValue): Addresses {
  const addresses: string[] = [];
  for (const entry of entriesOf(value)) {
    const text = isObject(entry) ? entry["email"] : entry;
    const address = typeof text === "string" ? bareAddress(text.trim()) : undefined;
    if (address === undefined) {
      const got = typeof text === "string" ? quoted(text) : kindOf(text ?? null);
      return { ok: false, why: `has ${got}; an address is written ada@example.com or Ada <ada@example.com>` };
    }
    addresses.push(address);
  }
  return { ok: true, addresses };
}

function entriesOf(value: JsonValue): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[];
  if (typeof value !== "string") return [value];
  return value.trim() === "" ? [] : value.split(",");
}

/** Custom mail headers that name recipients or senders of their own, which would be neither counted nor judged. */
export function badMailHeaders(headers: JsonValue): string | undefined {
  const entries = headerEntries(headers);
  if (entries === undefined) return "is neither a map of headers nor a list of {Name, Value}";
  for (const [name, value] of entries) {
    if (!/^[!-9;-~]{1,76}$/.test(name) || (typeof value === "string" && /[\r\n\0]/.test(value))) {
      return `has ${quoted(name)}, whose name or value could be read as more than one header`;
    }
    if (/^(?:resent-)?(?:to|cc|bcc|from|sender)$|^apparently-to$/i.test(name)) {
      return `has ${quoted(name)}; recipients and senders go into the fields for them`;
    }
  }
  return undefined;
}

function headerEntries(headers: JsonValue): readonly (readonly [string, JsonValue | undefined])[] | undefined {
  if (isObject(headers)) return Object.entries(headers);
  if (!Array.isArray(headers)) return undefined;
  const entries: (readonly [string, JsonValue | undefined])[] = [];
  for (const each of headers as readonly JsonValue[]) {
    if (!isObject(each)) return undefined;
    const name = each["Name"] ?? each["name"];
    if (typeof name !== "string") return undefined;
    entries.push([name, each["Value"] ?? each["value"]]);
  }
  return entries;
}
