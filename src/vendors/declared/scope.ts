import type { Call, JsonValue } from "../../core/call.ts";
import { bareAddress, isObject } from "../resend-emails.ts";
import type { Scope } from "../vendor.ts";
import { addressesOf } from "./addresses.ts";
import type { DeclaredOperation } from "./operation-schema.ts";
import { type Place, parsePlace, readPlace, type Subject, subjectOf } from "./place.ts";

/** Where an operation's calls say whom they concern. */
export interface ScopePlaces {
  readonly each: Place | undefined;
  readonly customer: Place | undefined;
  /** Fields of mail addresses, which the price counts, too. */
  readonly mail: readonly Place[];
  readonly recipients: readonly Place[];
  readonly senders: readonly Place[];
}

/** Stands for what cannot be read: no list of a policy has it, so that the call is out of every scope. */
const UNREADABLE = "(unreadable)";

/** Undefined where the operation's calls say nothing of the kind. */
export function scopePlaces({ price, scope = {} }: DeclaredOperation): ScopePlaces | undefined {
  const mail = (price?.count ?? []).flatMap(({ addresses }) =>
    addresses === undefined ? [] : [parsePlace(addresses)],
  );
  const { customer, recipients = [], senders = [] } = scope;
  if (mail.length + recipients.length + senders.length === 0 && customer === undefined) return undefined;
  return {
    each: price?.each === undefined ? undefined : parsePlace(price.each),
    customer: customer === undefined ? undefined : parsePlace(customer),
    mail,
    recipients: recipients.map(parsePlace),
    senders: senders.map(parsePlace),
  };
}

/**
 * Whom a call concerns. Recipients and senders are looked up in each entry of the list that is gone through, and senders
 * and the customer in the body, too (SendGrid has one `from` for all its personalizations).
 */
export function readScope(places: ScopePlaces, call: Call): Scope {
  const body = subjectOf(call);
  const entries = entriesOf(places.each, body);
  const everywhere = places.each === undefined ? entries : [body, ...entries];
  const recipients = entries.flatMap((entry) => [
    ...places.mail.flatMap((place) => mailAt(entry, place)),
    ...places.recipients.flatMap((place) => textsAt(entry, place)),
  ]);
  const senders = everywhere.flatMap((entry) => places.senders.flatMap((place) => textsAt(entry, place)));
  const { customer } = places;
  const customers = new Set(customer ? everywhere.flatMap((entry) => textsAt(entry, customer)) : []);
  return {
    ...(recipients.length === 0 ? {} : { recipients }),
    ...(senders.length === 0 ? {} : { senders }),
    // Of several customers none is the one that the policy allows.
    ...(customers.size === 0 ? {} : { customer: customers.size === 1 ? [...customers][0]! : UNREADABLE }),
  };
}

function entriesOf(each: Place | undefined, body: Subject): readonly Subject[] {
  if (each === undefined) return [body];
  const reading = readPlace(body, each);
  if (reading.state !== "there" || !Array.isArray(reading.value)) return [];
  return (reading.value as readonly JsonValue[])
    .filter(isObject)
    .map((value) => ({ call: body.call, value, name: "-" }));
}

function mailAt(subject: Subject, place: Place): readonly string[] {
  const reading = readPlace(subject, place);
  if (reading.state === "missing") return [];
  const found = reading.state === "there" ? addressesOf(reading.value) : undefined;
  return found?.ok ? found.addresses : [UNREADABLE];
}

/** Texts and numbers, alone or in a list; mail addresses without the name before them. */
function textsAt(subject: Subject, place: Place): readonly string[] {
  const reading = readPlace(subject, place);
  if (reading.state === "missing") return [];
  if (reading.state === "odd") return [UNREADABLE];
  const values: readonly JsonValue[] = Array.isArray(reading.value) ? reading.value : [reading.value];
  return values.map((value) => {
    if (typeof value === "number") return String(value);
    if (typeof value !== "string") return UNREADABLE;
    return value.includes("@") ? (bareAddress(value.trim()) ?? value) : value;
  });
}
