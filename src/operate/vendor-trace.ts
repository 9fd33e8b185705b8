import type { Vendor } from "../vendors/vendor.ts";

/** As much of an audit row as says what the vendor was sent. */
export interface SentCall {
  readonly id: string;
  readonly method: string;
  readonly idempotencyKeyHash: string | null;
}

/**
 * The idempotency key that the vendor got with the call, as far as it can be told afterwards: one made from an agent's own
 * key is known by that key's hash alone, and many calls have none.
 */
export function idempotencyKeySent(vendor: Pick<Vendor, "idempotency"> | undefined, call: SentCall): string | null {
  const isOurs = vendor?.idempotency === "always" && call.method === "POST" && call.idempotencyKeyHash === null;
  return isOurs ? `kb_${call.id}` : null;
}

/**
 * Where people see what became of a call. Stripe: docs.stripe.com/development/dashboard/request-logs and
 * docs.stripe.com/workbench; Twilio and Resend keep lists of messages, not of requests.
 */
const WHERE: ReadonlyMap<string, string> = new Map([
  [
    "stripe",
    "in the Dashboard under Developers → Logs (Workbench → Logs): the request id, or the time and endpoint; an entry shows the idempotency key that was sent",
  ],
  ["twilio", "in the Console under Monitor → Logs → Messaging or Voice: the recipient and the time"],
  ["resend", "in the dashboard under Emails and Logs: the recipient and the time"],
]);

/** What to look for at a vendor, and what else would settle the call; a sentence each. */
export function lookUpAdvice({
  name,
  title,
  idempotency,
}: Pick<Vendor, "name" | "title" | "idempotency">): readonly string[] {
  const where = WHERE.get(name) ?? "in its own log of requests: the endpoint and the time";
  const advice = [`${title}: look ${where}`];
  if (idempotency === "never") return advice;
  return [...advice, `${title}: or let the agent repeat the call with the same Idempotency-Key and the same body`];
}
