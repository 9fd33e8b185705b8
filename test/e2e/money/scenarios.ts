import type { SdkPlan } from "../../harness/sdk.ts";

/** One agent run against the sandbox, with a key of its own. */
export interface Scenario {
  /** A guarantee. */
  readonly title: string;
  readonly sdk: SdkPlan["sdk"];
  /** Flags of `key issue`. */
  readonly policy: readonly string[];
  /** Made before by a run whose key may do anything: "$outside.id" in `calls` is what it gave. */
  readonly outside?: SdkPlan["calls"][number];
  readonly calls: SdkPlan["calls"];
  /** What the SDK makes of each call: done, or the class or name of its error. */
  readonly outcomes: readonly string[];
  /** What the audit has for each call, in dollars; nothing for a refused one. */
  readonly costs: readonly (string | null)[];
  /** The budgets as `budget list` has them in the end, by name. */
  readonly used: Readonly<Record<string, string>>;
}

const DONE = "done";
const CAPPED = "StripeRateLimitError";
export const UP_TO_500 = ["--daily-usd-cap", "500", "--allowed-endpoints", "POST /v1/**,GET /v1/**"];
const INTENT = { amount: 6000, currency: "usd", payment_method: "pm_card_visa", customer: "cus_1A2b3C" };
const PAID = { ...INTENT, confirm: true };
const AUTHORISED = { ...PAID, capture_method: "manual" };

export const STRIPE: readonly Scenario[] = [
  {
    title: "a PaymentIntent counts when it is confirmed, and once",
    sdk: "stripe",
    policy: UP_TO_500,
    calls: [
      ["paymentIntents.create", INTENT],
      ["paymentIntents.confirm", "$0.id"],
      ["paymentIntents.confirm", "$0.id"],
    ],
    outcomes: [DONE, DONE, "StripeInvalidRequestError"],
    costs: ["0.00", "60.00", "0.00"],
    used: { daily_usd_cap: "60.00" },
  },
  {
    title: "a confirm whose amount is over the cap never leaves",
    sdk: "stripe",
    policy: [...UP_TO_500, "--total-usd-cap", "100"],
    calls: [
      ["paymentIntents.create", INTENT],
      ["paymentIntents.create", INTENT],
      ["paymentIntents.confirm", "$0.id"],
      ["paymentIntents.confirm", "$1.id"],
      ["paymentIntents.retrieve", "$1.id"],
      ["paymentIntents.confirm", "$4.id", { amount_to_confirm: 4000 }],
    ],
    outcomes: [DONE, DONE, DONE, CAPPED, DONE, DONE],
    costs: ["0.00", "0.00", "60.00", null, "0.00", "40.00"],
    used: { daily_usd_cap: "100.00", total_usd_cap: "100.00" },
  },
  {
    title: "what was authorised counts once, however little of it is captured",
    sdk: "stripe",
    policy: UP_TO_500,
    calls: [
      ["paymentIntents.create", AUTHORISED],
      ["paymentIntents.capture", "$0.id", { amount_to_capture: 2500 }],
    ],
    outcomes: [DONE, DONE],
    costs: ["60.00", "0.00"],
    used: { daily_usd_cap: "60.00" },
  },
  {
    title: "a raised authorisation counts what the new total adds, and its capture nothing more",
    sdk: "stripe",
    policy: UP_TO_500,
    calls: [
      ["paymentIntents.create", AUTHORISED],
      ["paymentIntents.incrementAuthorization", "$0.id", { amount: 7500 }],
      ["paymentIntents.capture", "$0.id"],
    ],
    outcomes: [DONE, DONE, DONE],
    costs: ["60.00", "15.00", "0.00"],
    used: { daily_usd_cap: "75.00" },
  },
  {
    title: "a refund without an amount counts the rest of what was captured",
    sdk: "stripe",
    policy: [...UP_TO_500, "--caps", "refund.daily_usd=60"],
    calls: [
      ["paymentIntents.create", AUTHORISED],
      ["paymentIntents.capture", "$0.id", { amount_to_capture: 5000 }],
      ["refunds.create", { payment_intent: "$0.id", amount: 1500 }],
      ["refunds.create", { charge: "$0.latest_charge" }],
      ["refunds.create", { charge: "$0.latest_charge" }],
    ],
    outcomes: [DONE, DONE, DONE, DONE, "StripeInvalidRequestError"],
    costs: ["60.00", "0.00", "15.00", "35.00", "0.00"],
    used: { daily_usd_cap: "110.00", "caps.refund.daily_usd": "50.00" },
  },
  {
    title: "a refund without an amount stops at the cap of refunds, and charges go on",
    sdk: "stripe",
    policy: [...UP_TO_500, "--caps", "refund.daily_usd=30"],
    calls: [
      ["paymentIntents.create", PAID],
      ["refunds.create", { payment_intent: "$0.id", amount: 2000 }],
      ["refunds.create", { payment_intent: "$0.id" }],
      ["paymentIntents.create", PAID],
    ],
    outcomes: [DONE, DONE, CAPPED, DONE],
    costs: ["60.00", "20.00", null, "60.00"],
    used: { daily_usd_cap: "140.00", "caps.refund.daily_usd": "20.00" },
  },
  {
    title: "payouts count against a cap of their own, and so does their way back",
    sdk: "stripe",
    policy: [...UP_TO_500, "--caps", "payout.daily_usd=100"],
    calls: [
      ["payouts.create", { amount: 4000, currency: "usd" }],
      ["payouts.cancel", "$0.id"],
      ["payouts.create", { amount: 4000, currency: "usd" }],
    ],
    outcomes: [DONE, DONE, CAPPED],
    costs: ["40.00", "40.00", null],
    used: { daily_usd_cap: "80.00", "caps.payout.daily_usd": "80.00" },
  },
  {
    title: "a transfer counts its source's charge, and a reversal what is left of the transfer",
    sdk: "stripe",
    policy: [...UP_TO_500, "--caps", "transfer.daily_usd=100", "--merchants", "acct_1A2b3C"],
    calls: [
      ["charges.create", { amount: 4200, currency: "usd", source: "tok_visa" }],
      ["transfers.create", { currency: "usd", destination: "acct_1A2b3C", source_transaction: "$0.id" }],
      ["transfers.createReversal", "$1.id", { amount: 1200 }],
      ["transfers.createReversal", "$1.id"],
      ["transfers.create", { currency: "usd", destination: "acct_1A2b3C", source_transaction: "$0.id" }],
    ],
    outcomes: [DONE, DONE, DONE, DONE, CAPPED],
    costs: ["42.00", "42.00", "12.00", "30.00", null],
    used: { daily_usd_cap: "126.00", "caps.transfer.daily_usd": "84.00" },
  },
  {
    title: "a confirm of another customer's PaymentIntent, or of none, never leaves",
    sdk: "stripe",
    policy: [...UP_TO_500, "--customers", "cus_1A2b3C"],
    outside: ["paymentIntents.create", { ...INTENT, customer: "cus_9Z8y7X" }],
    calls: [
      ["paymentIntents.confirm", "$outside.id"],
      ["paymentIntents.confirm", "pi_madeByNobody"],
    ],
    outcomes: ["StripePermissionError", "StripeInvalidRequestError"],
    costs: [null, null],
    used: { daily_usd_cap: "0.00" },
  },
];

const MAIL = { from: "a@example.com", to: ["b@example.org", "c@example.org"], subject: "hi", text: "hello" };
const BATCH = ["batch.send", [MAIL, { ...MAIL, to: "d@example.org" }]] as const;

export const RESEND: readonly Scenario[] = [
  {
    title: "a batch counts every recipient of every mail, and stops at the cap of sends",
    sdk: "resend",
    policy: ["--daily-usd-cap", "1", "--daily-send-cap", "5", "--allowed-endpoints", "POST /emails/batch"],
    calls: [BATCH, BATCH],
    outcomes: [DONE, "daily_quota_exceeded"],
    costs: ["0.0027", null],
    used: { daily_usd_cap: "0.0027", daily_send_cap: "3" },
  },
];

const NUMBERS = { to: "+14155550100", from: "+14155550199" };

/** Made first and looked at last: what Twilio tells later is asked for 15 seconds after each. */
export const TWILIO: Scenario = {
  title: "a message and a call count by the table of rates",
  sdk: "twilio",
  policy: ["--daily-usd-cap", "5", "--daily-send-cap", "5", "--allowed-endpoints", "POST /2010-04-01/**"],
  calls: [
    ["messages.create", { ...NUMBERS, body: "hello" }],
    ["calls.create", { ...NUMBERS, twiml: "<Response><Pause/></Response>", timeLimit: 600 }],
    ["messages.create", { ...NUMBERS, from: "nobody's number", body: "hello" }],
  ],
  outcomes: [DONE, DONE, "RestException"],
  costs: ["0.0153", "0.14", "0.00"],
  used: { daily_usd_cap: "0.1553", daily_send_cap: "1" },
};
