import type { Answer, Call, JsonValue } from "../core/call.ts";
import type { Micros } from "../core/money.ts";
import type { PriceName } from "./price-name.ts";
import type { Cost, Exposure, NoExposure, Pricing } from "./vendor.ts";

/** Most addresses in `to`; `cc` and `bcc` have no limit of their own (resend.com/docs/api-reference/emails/send-email). */
const TO_ADDRESSES_MAX = 50;
/** Most emails in one batch. */
const BATCH_EMAILS_MAX = 100;

/** Of an Idempotency-Key, on both operations that send (resend.com/docs/dashboard/emails/idempotency-keys). */
const KEY_CHARACTERS_MAX = 256;

/**
 * The price of one recipient: by default the plans' dearest overage. Within a plan's quota a recipient costs nothing more:
 * the operator then sets 0, and `daily_send_cap` is what brakes.
 */
export const EMAIL_PRICE = {
  name: "resend.email",
  unit: "a recipient of an email: each address in to, cc and bcc",
  builtIn: { micros: 900n, asOf: "2026-11", source: "$0.90 for 1,000 beyond the quota of Resend's plans" },
} as const satisfies PriceName;

export type EmailObject = { readonly [key: string]: JsonValue };

export type Recipients =
  | { readonly ok: true; readonly addresses: readonly string[] }
  | { readonly ok: false; readonly why: string };

type Counted = { readonly ok: true; readonly perEmail: readonly number[] } | NoExposure;

const RECIPIENT_FIELDS = ["to", "cc", "bcc"] as const;
/** What is read here and so has to be spelt as Resend spells it. */
const EXACT_FIELDS: ReadonlySet<string> = new Set([...RECIPIENT_FIELDS, "from", "headers"]);

/** RFC 5321 dot-atoms of ASCII and a host name of at least two labels; no quoted local part, no address literal. */
const ADDRESS =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$/;
/** `Name <a@b.c>`, the name with or without quotes. Separators in it could begin another address to some reader. */
const NAMED = /^(?:"[^"\\<>@,;:()[\]\p{C}]*"|[^"\\<>@,;:()[\]\p{C}]*) ?<([^<>]+)>$/u;

/** The bare address of `a@b.c` or `Name <a@b.c>` with its domain in lower case; undefined for anything odd. */
export function bareAddress(text: string): string | undefined {
  const address = text.includes("<") ? NAMED.exec(text)?.[1] : text;
  if (address === undefined || address.length > 254 || !ADDRESS.test(address)) return undefined;
  const at = address.lastIndexOf("@");
  return address.slice(0, at) + address.slice(at).toLowerCase();
}

/** Every address that an email goes to. Resend bills each of them. */
export function recipientsOf(email: EmailObject): Recipients {
  const oddity = misspelling(email) ?? badSender(email["from"]) ?? badHeaders(email["headers"]);
  if (oddity !== undefined) return { ok: false, why: oddity };
  const addresses: string[] = [];
  for (const name of RECIPIENT_FIELDS) {
    const found = addressesIn(name, email[name]);
    if (!found.ok) return found;
    addresses.push(...found.addresses);
  }
  if (addresses.length > 0) return { ok: true, addresses };
  return { ok: false, why: "the email has no recipient in to, cc or bcc" };
}

function addressesIn(name: string, value: JsonValue | undefined): Recipients {
  if (value === undefined || value === null) return { ok: true, addresses: [] };
  const list: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  if (name === "to" && list.length > TO_ADDRESSES_MAX) {
    return { ok: false, why: `to has ${list.length} addresses; Resend takes ${TO_ADDRESSES_MAX}` };
  }
  const addresses: string[] = [];
  for (const each of list) {
    const address = typeof each === "string" ? bareAddress(each) : undefined;
    if (address === undefined) {
      const shown = JSON.stringify(each).slice(0, 80);
      return {
        ok: false,
        why: `${name} has ${shown}; write one address each, as in ada@example.com or Ada <ada@example.com>`,
      };
    }
    addresses.push(address);
  }
  return { ok: true, addresses };
}

/** `To` or ` bcc`: a reader that is lenient with names would send to addresses that were not counted. */
function misspelling(email: EmailObject): string | undefined {
  for (const key of Object.keys(email)) {
    const meant = key.trim().toLowerCase();
    if (key !== meant && EXACT_FIELDS.has(meant)) return `the field ${JSON.stringify(key)} has to be written ${meant}`;
  }
  return undefined;
}

function badSender(from: JsonValue | undefined): string | undefined {
  if (from === undefined || from === null) return undefined; // a template's own
  if (typeof from === "string" && bareAddress(from) !== undefined) return undefined;
  return `from is ${JSON.stringify(from).slice(0, 80)}; write ada@example.com or Ada <ada@example.com>`;
}

/** Custom headers that name recipients or senders of their own, which would be neither counted nor judged. */
function badHeaders(headers: JsonValue | undefined): string | undefined {
  if (headers === undefined || headers === null) return undefined;
  if (!isObject(headers)) return "headers is not a JSON object of names and values";
  const name = Object.keys(headers).find((each) => /^\s*(?:resent-)?(?:to|cc|bcc|from|sender)\s*$/i.test(each));
  const odd = Object.entries(headers).find(
    ([each, value]) => !/^[!-9;-~]{1,76}$/.test(each) || (typeof value === "string" && /[\r\n\0]/.test(value)),
  );
  if (odd)
    return `headers has ${JSON.stringify(odd[0].slice(0, 60))}, whose name or value could be read as more than one header`;
  if (name === undefined) return undefined;
  return `headers has ${JSON.stringify(name)}; recipients and senders go into to, cc, bcc and from`;
}

/**
 * Resend would answer 400 `invalid_idempotency_key`. It never sees the client's key, which is derived anew for each vault
 * key: so that the client learns of it here and not the day that it leaves Keybrake.
 */
export function refuseOddKey(call: Call): NoExposure | undefined {
  const key = call.headers.get("idempotency-key");
  if (key === undefined || (key.length >= 1 && key.length <= KEY_CHARACTERS_MAX)) return undefined;
  return rejected(`the Idempotency-Key has ${key.length} characters; Resend takes 1 to ${KEY_CHARACTERS_MAX}`);
}

/**
 * One unit for each recipient of each email, scheduled ones too: they are committed now, and neither a new date nor a
 * cancellation comes back here with a count. Opted out of the email's topic, a recipient is not sent to; it counts all the
 * same, since no answer tells.
 */
export function emailExposure(call: Call, pricing: Pricing): Exposure | NoExposure {
  if (call.query !== "") return rejected("an email stands in the body alone; leave the query out");
  const counted = countRecipients(emailsOf(call));
  if (!counted.ok) return counted;
  const sends = counted.perEmail.reduce((sum, each) => sum + each, 0);
  return { ok: true, micros: priceOf(sends, pricing), sends, currency: undefined, source: "rate_table" };
}

/** The emails in a body: one for `/emails`, up to 100 for `/emails/batch`; or what is wrong with it. */
export function emailsOf(call: Call): readonly EmailObject[] | NoExposure {
  const { json } = call;
  if (call.path !== "/emails/batch")
    return isObject(json) ? [json] : rejected("the body is not a JSON object of one email");
  if (!Array.isArray(json) || json.length === 0) return rejected("the body is not a JSON array of emails");
  if (json.length > BATCH_EMAILS_MAX) {
    return rejected(`the batch has ${json.length} emails; Resend takes ${BATCH_EMAILS_MAX}`);
  }
  return json.every(isObject) ? json : rejected("the batch has an item that is not a JSON object");
}

function countRecipients(emails: readonly EmailObject[] | NoExposure): Counted {
  if ("ok" in emails) return emails;
  const perEmail: number[] = [];
  for (const email of emails) {
    const recipients = recipientsOf(email);
    if (!recipients.ok) return rejected(recipients.why);
    perEmail.push(recipients.addresses.length);
  }
  return { ok: true, perEmail };
}

function priceOf(recipients: number, pricing: Pricing): Micros {
  return BigInt(recipients) * (pricing.prices.get(EMAIL_PRICE.name) ?? EMAIL_PRICE.builtIn.micros);
}

/** Resend tells an email's id and never its price: what was accepted is what was asked for. */
export function emailCost(_call: Call, answer: Answer, exposure: Exposure): Cost {
  const id = idOf(answer.json);
  return id === undefined ? inFull(exposure) : { micros: exposure.micros, source: "rate_table", vendorTxnId: id };
}

/**
 * A strict batch (the default) is sent whole or not at all. A permissive one, `x-batch-validation: permissive`, names the
 * emails it refused by their index (resend.com/docs/dashboard/emails/batch-validation-modes); those cost nothing, but only
 * where accepted and refused together are exactly the emails asked for. Of sends they stay counted: that is a brake, not a bill.
 */
export function batchCost(call: Call, answer: Answer, exposure: Exposure, pricing: Pricing): Cost {
  const { json } = answer;
  const counted = countRecipients(emailsOf(call));
  if (!isObject(json) || !Array.isArray(json["data"]) || !counted.ok) return inFull(exposure);
  const data: readonly JsonValue[] = json["data"];
  const refused = refusedIndexes(json["errors"], counted.perEmail.length);
  if (!refused || data.length + refused.size !== counted.perEmail.length) return inFull(exposure);
  const isPermissive = call.headers.get("x-batch-validation") === "permissive";
  if ((refused.size > 0 && !isPermissive) || data.some((each) => idOf(each) === undefined)) return inFull(exposure);
  const sent = counted.perEmail.reduce((sum, each, index) => (refused.has(index) ? sum : sum + each), 0);
  const first = idOf(data[0]);
  return {
    micros: priceOf(sent, pricing),
    source: "rate_table",
    ...(first === undefined ? {} : { vendorTxnId: first }),
  };
}

function refusedIndexes(errors: JsonValue | undefined, emails: number): ReadonlySet<number> | undefined {
  if (errors === undefined || errors === null) return new Set();
  if (!Array.isArray(errors)) return undefined;
  const indexes = new Set<number>();
  for (const error of errors as readonly JsonValue[]) {
    const index = isObject(error) ? error["index"] : undefined;
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= emails) return undefined;
    indexes.add(index);
  }
  return indexes.size === errors.length ? indexes : undefined;
}

function inFull(exposure: Exposure): Cost {
  return { micros: exposure.micros, source: "rate_table", unreadable: true };
}

function idOf(json: JsonValue | undefined): string | undefined {
  const id = isObject(json) ? json["id"] : undefined;
  return typeof id === "string" && /^[A-Za-z0-9_-]{1,100}$/.test(id) ? id : undefined;
}

export function isObject(json: JsonValue | undefined): json is EmailObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function rejected(why: string): NoExposure {
  return { ok: false, code: "request_rejected", message: `Keybrake: ${why}.` };
}
