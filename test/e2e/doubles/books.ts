import { ACCOUNT_SID } from "../../harness/vendor-account.ts";
import { type DoubleName, TWILIO_TOKEN } from "./doubles.ts";

/** What the tests' operator has configured; doubles have no prices of their own. */
export const MICROS_PER_SEGMENT = 10_000n;
export const MICROS_PER_RECIPIENT = 1_000n;
const MICROS_PER_CENT = 10_000n;

interface Charge {
  readonly amount: number;
  readonly status: string;
  readonly captured: boolean;
  readonly amount_captured: number;
  readonly amount_refunded: number;
}

interface Email {
  readonly to: readonly string[];
  readonly cc: readonly string[] | null;
  readonly bcc: readonly string[] | null;
}

/** Reads a double's own books: all money, in micro-dollars, that was committed there since it was started. */
export const BOOKS: Readonly<Record<DoubleName, (origin: string) => Promise<bigint>>> = {
  /** What was authorised or taken, and what was given back. */
  async stateful(origin) {
    const charges = await list<Charge>(`${origin}/v1/charges?limit=100`, "Bearer sk_test_books");
    const cents = charges
      .filter(({ status }) => status === "succeeded")
      // It shows what a partial capture left as refunded; nobody gave that back.
      .map(
        (charge) =>
          charge.amount + charge.amount_refunded - (charge.captured ? charge.amount - charge.amount_captured : 0),
      )
      .reduce((sum, amount) => sum + amount, 0);
    return BigInt(cents) * MICROS_PER_CENT;
  },
  async stripe(origin) {
    const charges = await list<Charge>(`${origin}/v1/charges?limit=100`, "Bearer sk_test_books");
    const cents = charges.map(({ amount, status }) => (status === "succeeded" ? amount : 0));
    return BigInt(cents.reduce((sum, amount) => sum + amount, 0)) * MICROS_PER_CENT;
  },
  async twilio(origin) {
    const credential = `Basic ${btoa(`${ACCOUNT_SID}:${TWILIO_TOKEN}`)}`;
    const answer = await fetch(`${origin}/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json?PageSize=1000`, {
      headers: { authorization: credential },
    });
    const { messages } = (await answer.json()) as { messages: { num_segments: string }[] };
    return messages.reduce((sum, { num_segments }) => sum + BigInt(num_segments), 0n) * MICROS_PER_SEGMENT;
  },
  async resend(origin) {
    const emails = await list<Email>(`${origin}/emails`, "Bearer re_books");
    const recipients = emails.map(({ to, cc, bcc }) => to.length + (cc?.length ?? 0) + (bcc?.length ?? 0));
    return BigInt(recipients.reduce((sum, count) => sum + count, 0)) * MICROS_PER_RECIPIENT;
  },
};

async function list<T>(url: string, authorization: string): Promise<readonly T[]> {
  const answer = await fetch(url, { headers: { authorization } });
  const { data, has_more: hasMore } = (await answer.json()) as { data: T[]; has_more?: boolean };
  if (!answer.ok || hasMore) throw new Error(`the double does not show all of ${url}`);
  return data;
}
