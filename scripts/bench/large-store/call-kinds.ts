import { MICROS_PER_USD, type Micros } from "../../../src/core/money.ts";

/** An endpoint of a vendor's, and what its calls look like in the audit. */
export interface CallKind {
  readonly vendor: "stripe" | "twilio" | "resend";
  readonly method: "GET" | "POST";
  readonly endpoint: string;
  readonly path: (id: string) => string;
  readonly exposureMicros: (cents: number) => Micros;
  readonly sends: number;
  readonly costSource: "vendor_response" | "rate_table" | "none";
  /** Prefix of the ids that the vendor gives its objects; null where the audit keeps none. */
  readonly txnPrefix: string | null;
  readonly hasCustomer: boolean;
  /** Calls of this kind among a vendor's hundred. */
  readonly percent: number;
}

const inDollars = (cents: number): Micros => (BigInt(cents) * MICROS_PER_USD) / 100n;
const nothing = (): Micros => 0n;

/** What agents call: charges, refunds and look-ups at Stripe, messages at Twilio, mail at Resend. */
export const CALL_KINDS: readonly CallKind[] = [
  {
    vendor: "stripe",
    method: "POST",
    endpoint: "/v1/payment_intents",
    path: () => "/v1/payment_intents",
    exposureMicros: inDollars,
    sends: 0,
    costSource: "vendor_response",
    txnPrefix: "pi_3",
    hasCustomer: true,
    percent: 65,
  },
  {
    vendor: "stripe",
    method: "POST",
    endpoint: "/v1/refunds",
    path: () => "/v1/refunds",
    exposureMicros: inDollars,
    sends: 0,
    costSource: "vendor_response",
    txnPrefix: "re_3",
    hasCustomer: false,
    percent: 5,
  },
  {
    vendor: "stripe",
    method: "GET",
    endpoint: "/v1/customers/*",
    path: (id) => `/v1/customers/cus_${id}`,
    exposureMicros: nothing,
    sends: 0,
    costSource: "none",
    txnPrefix: null,
    hasCustomer: true,
    percent: 30,
  },
  {
    vendor: "twilio",
    method: "POST",
    endpoint: "/2010-04-01/Accounts/*/Messages.json",
    path: () => "/2010-04-01/Accounts/ACbench/Messages.json",
    exposureMicros: () => 7_900n,
    sends: 1,
    costSource: "rate_table",
    txnPrefix: "SM",
    hasCustomer: false,
    percent: 100,
  },
  {
    vendor: "resend",
    method: "POST",
    endpoint: "/emails",
    path: () => "/emails",
    exposureMicros: () => 900n,
    sends: 1,
    costSource: "rate_table",
    txnPrefix: "49a3999c-",
    hasCustomer: false,
    percent: 100,
  },
];
