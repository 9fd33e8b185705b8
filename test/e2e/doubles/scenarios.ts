import type { SdkPlan } from "../../harness/sdk.ts";
import type { DoubleName } from "./doubles.ts";

export interface Scenario {
  /** A guarantee. */
  readonly title: string;
  /** Flags of `key issue` beside the double's usual ones. */
  readonly policy?: readonly string[];
  /** Made by somebody else before, straight at the vendor: "$outside.id" in `calls` is what it gave. */
  readonly outside?: { readonly path: string; readonly form: Readonly<Record<string, string>> };
  readonly calls: SdkPlan["calls"];
  /** What the SDK makes of each call: done, or the class or name of its error. */
  readonly outcomes: readonly string[];
  /** In dollars: what the double's books and the ledger must both show as settled. */
  readonly moved: string;
  /** What the ledger has settled where that is more, on the safe side: the title says why. */
  readonly counted?: string;
  /** Calls whose outcome the vendor left open; they keep their hold. */
  readonly unresolved?: number;
  /** Requests that arrive at the double, ids left out, where they are the point. */
  readonly arrives?: readonly string[];
}

/** How each double is called, and the policy under which. */
export const USUAL: Readonly<Record<DoubleName, Pick<SdkPlan, "sdk"> & { readonly policy: readonly string[] }>> = {
  stateful: {
    sdk: "stripe",
    policy: [
      "--daily-usd-cap",
      "500",
      "--allowed-endpoints",
      "POST /v1/charges/**,POST /v1/charges,POST /v1/refunds,POST /v1/customers",
    ],
  },
  stripe: {
    sdk: "stripe",
    policy: ["--daily-usd-cap", "500", "--allowed-endpoints", "POST /v1/payment_intents/**,POST /v1/payment_intents"],
  },
  twilio: {
    sdk: "twilio",
    policy: ["--daily-usd-cap", "5", "--allowed-endpoints", "POST /2010-04-01/Accounts/*/Messages.json"],
  },
  resend: { sdk: "resend", policy: ["--daily-usd-cap", "5", "--allowed-endpoints", "POST /emails,POST /emails/batch"] },
};

const DONE = "done";
const CHARGE = { amount: 3000, currency: "usd", source: "tok_visa" };
const HOLD = { ...CHARGE, capture: false };
const FORWARD = ["--idempotency", "forward"];
const once = (name: string) => ({ idempotencyKey: `double-${name}` });

export const STATEFUL: readonly Scenario[] = [
  { title: "a charge counts once", calls: [["charges.create", CHARGE]], outcomes: [DONE], moved: "30" },
  {
    title: "a declined charge counts nothing",
    calls: [["charges.create", { ...CHARGE, source: "tok_chargeDeclined" }]],
    outcomes: ["StripeCardError"],
    moved: "0",
  },
  {
    title: "a customer is made freely and then charged",
    calls: [
      ["customers.create", { source: "tok_visa" }],
      ["charges.create", { amount: 1200, currency: "usd", customer: "$0.id" }],
    ],
    outcomes: [DONE, DONE],
    moved: "12",
  },
  {
    title: "an authorisation counts, and its capture not again",
    calls: [
      ["charges.create", HOLD],
      ["charges.capture", "$0.id"],
    ],
    outcomes: [DONE, DONE],
    moved: "30",
  },
  {
    title: "a partial capture counts no more than was authorised, and can be refunded no further",
    calls: [
      ["charges.create", HOLD],
      ["charges.capture", "$0.id", { amount: 700 }],
      ["refunds.create", { charge: "$0.id" }],
      ["refunds.create", { charge: "$0.id" }],
    ],
    outcomes: [DONE, DONE, DONE, "StripeInvalidRequestError"],
    moved: "37",
  },
  {
    title: "refunds count each by itself, and one without an amount what is left",
    calls: [
      ["charges.create", CHARGE],
      ["refunds.create", { charge: "$0.id", amount: 1000 }],
      ["refunds.create", { charge: "$0.id" }],
      ["refunds.create", { charge: "$0.id" }],
    ],
    outcomes: [DONE, DONE, DONE, "StripeInvalidRequestError"],
    moved: "60",
  },
  {
    title: "a refund of more than is left counts nothing",
    calls: [
      ["charges.create", CHARGE],
      ["refunds.create", { charge: "$0.id", amount: 3100 }],
    ],
    outcomes: [DONE, "StripeInvalidRequestError"],
    moved: "30",
  },
  {
    title: "a charge that somebody else made is looked up before it is refunded without an amount",
    outside: { path: "/v1/charges", form: { amount: "4500", currency: "usd", source: "tok_visa" } },
    calls: [["refunds.create", { charge: "$outside.id" }]],
    outcomes: [DONE],
    moved: "45",
    arrives: ["GET /v1/charges/*", "POST /v1/refunds"],
  },
  {
    title:
      "a refund without an amount is refused where what is left is over what one call may cost, and a smaller one is not kept waiting",
    policy: ["--max-amount-per-call-usd", "40"],
    outside: { path: "/v1/charges", form: { amount: "4500", currency: "usd", source: "tok_visa" } },
    calls: [
      ["refunds.create", { charge: "$outside.id" }],
      ["refunds.create", { charge: "$outside.id", amount: 1500 }],
    ],
    outcomes: ["StripePermissionError", DONE],
    moved: "15",
  },
  {
    title: "an authorisation that somebody else made and nobody counted is counted when it is captured",
    outside: {
      path: "/v1/charges",
      form: { amount: "2500", currency: "usd", source: "tok_visa", capture: "false" },
    },
    calls: [["charges.capture", "$outside.id"]],
    outcomes: [DONE],
    moved: "0",
    counted: "25",
    arrives: ["GET /v1/charges/*", "POST /v1/charges/*/capture"],
  },
  {
    title: "a repeat under the same key is answered from the record",
    calls: [
      ["charges.create", CHARGE, once("replay")],
      ["charges.create", CHARGE, once("replay")],
    ],
    outcomes: [DONE, DONE],
    moved: "30",
    arrives: ["POST /v1/charges"],
  },
  {
    title: "another request under the same key is refused here",
    calls: [
      ["charges.create", CHARGE, once("mismatch")],
      ["charges.create", { ...CHARGE, amount: 3100 }, once("mismatch")],
    ],
    outcomes: [DONE, "StripeAPIError"],
    moved: "30",
    arrives: ["POST /v1/charges"],
  },
  {
    title: "a repeat that is sent on is replayed by the vendor and counts once",
    policy: FORWARD,
    calls: [
      ["charges.create", CHARGE, once("forwarded")],
      ["charges.create", CHARGE, once("forwarded")],
    ],
    outcomes: [DONE, DONE],
    moved: "30",
    arrives: ["POST /v1/charges", "POST /v1/charges"],
  },
  {
    title: "another request that is sent on under the same key is refused by the vendor and counts nothing",
    policy: FORWARD,
    calls: [
      ["charges.create", CHARGE, once("forwarded-mismatch")],
      ["charges.create", { ...CHARGE, amount: 3100 }, once("forwarded-mismatch")],
    ],
    outcomes: [DONE, "StripeIdempotencyError"],
    moved: "30",
    arrives: ["POST /v1/charges", "POST /v1/charges"],
  },
  {
    title: "charges stop at the cap",
    policy: ["--total-usd-cap", "50"],
    calls: [
      ["charges.create", CHARGE],
      ["charges.create", CHARGE],
      ["charges.create", { ...CHARGE, amount: 2000 }],
    ],
    outcomes: [DONE, "StripeRateLimitError", DONE],
    moved: "50",
    arrives: ["POST /v1/charges", "POST /v1/charges"],
  },
  {
    title: "refunds stop at a cap of their own, with and without an amount",
    policy: ["--caps", "refund.daily_usd=15"],
    calls: [
      ["charges.create", CHARGE],
      ["refunds.create", { charge: "$0.id", amount: 1000 }],
      ["refunds.create", { charge: "$0.id" }],
      ["refunds.create", { charge: "$0.id", amount: 500 }],
    ],
    outcomes: [DONE, DONE, "StripeRateLimitError", DONE],
    moved: "45",
  },
];

const INTENT = { amount: 4000, currency: "usd", payment_method: "pm_card_visa" };

export const STRIPE: readonly Scenario[] = [
  {
    title: "a PaymentIntent costs nothing until it is confirmed, and then its amount",
    calls: [
      ["paymentIntents.create", INTENT],
      ["paymentIntents.confirm", "$0.id"],
    ],
    outcomes: [DONE, DONE],
    moved: "40",
  },
  {
    title: "a confirmation that the vendor did not act on costs nothing",
    calls: [["paymentIntents.create", { ...INTENT, confirm: true }]],
    outcomes: [DONE],
    moved: "0",
  },
  {
    title: "a cancelled PaymentIntent costs nothing and cannot be confirmed",
    calls: [
      ["paymentIntents.create", INTENT],
      ["paymentIntents.cancel", "$0.id"],
      ["paymentIntents.confirm", "$0.id"],
    ],
    outcomes: [DONE, DONE, "StripeInvalidRequestError"],
    moved: "0",
  },
  {
    title: "a second confirmation counts nothing",
    calls: [
      ["paymentIntents.create", INTENT],
      ["paymentIntents.confirm", "$0.id"],
      ["paymentIntents.confirm", "$0.id"],
    ],
    outcomes: [DONE, DONE, "StripeInvalidRequestError"],
    moved: "40",
  },
  {
    title: "a PaymentIntent that somebody else made is looked up before it is confirmed",
    outside: { path: "/v1/payment_intents", form: { amount: "2300", currency: "usd", payment_method: "pm_card_visa" } },
    calls: [["paymentIntents.confirm", "$outside.id"]],
    outcomes: [DONE],
    moved: "23",
    arrives: ["GET /v1/payment_intents/*", "POST /v1/payment_intents/*/confirm"],
  },
  {
    title: "one whose amount was raised is confirmed for the raised amount",
    calls: [
      ["paymentIntents.create", { ...INTENT, amount: 1000 }],
      ["paymentIntents.update", "$0.id", { amount: 9000 }],
      ["paymentIntents.confirm", "$0.id"],
    ],
    outcomes: [DONE, DONE, DONE],
    moved: "90",
  },
  {
    title: "an amount cannot be raised past the cap between two calls",
    policy: ["--total-usd-cap", "50"],
    calls: [
      ["paymentIntents.create", { ...INTENT, amount: 1000 }],
      ["paymentIntents.update", "$0.id", { amount: 9000 }],
      ["paymentIntents.confirm", "$0.id"],
    ],
    outcomes: [DONE, "StripeRateLimitError", DONE],
    moved: "10",
  },
];

const SMS = { to: "+14155550100", from: "+14155550199", body: "hello" };

export const TWILIO: readonly Scenario[] = [
  { title: "a message counts its segment", calls: [["messages.create", SMS]], outcomes: [DONE], moved: "0.01" },
  {
    title: "a longer message counts each of its segments",
    calls: [["messages.create", { ...SMS, body: "a".repeat(459) }]],
    outcomes: [DONE],
    moved: "0.03",
  },
  {
    title: "a message from a number that is not the account's counts nothing",
    calls: [["messages.create", { ...SMS, from: "+14155550111" }]],
    outcomes: ["RestException"],
    moved: "0",
    arrives: ["POST /2010-04-01/Accounts/*/Messages.json"],
  },
  {
    title: "messages stop at the cap",
    policy: ["--daily-send-cap", "2"],
    calls: Array(3).fill(["messages.create", SMS]),
    outcomes: [DONE, DONE, "RestException"],
    moved: "0.02",
  },
];

const MAIL = { from: "a@example.com", to: ["b@example.org", "c@example.org"], subject: "hi", text: "hello" };

export const RESEND: readonly Scenario[] = [
  {
    title: "a mail counts every recipient",
    calls: [["emails.send", { ...MAIL, cc: "d@example.org", bcc: ["e@example.org"] }]],
    outcomes: [DONE],
    moved: "0.004",
  },
  {
    title: "a batch counts every recipient of every mail",
    calls: [["batch.send", [MAIL, { ...MAIL, to: "d@example.org" }]]],
    outcomes: [DONE],
    moved: "0.003",
  },
  {
    title: "a mail without a subject counts nothing",
    calls: [["emails.send", { ...MAIL, subject: "" }]],
    outcomes: ["validation_error"],
    moved: "0",
    arrives: ["POST /emails"],
  },
  {
    title: "a repeat that is sent on counts again, since Resend does not tell that it is one",
    policy: FORWARD,
    calls: [
      ["emails.send", MAIL, once("mail")],
      ["emails.send", MAIL, once("mail")],
    ],
    outcomes: [DONE, DONE],
    moved: "0.002",
    counted: "0.004",
    arrives: ["POST /emails", "POST /emails"],
  },
  {
    title: "another mail that is sent on under the same key is a conflict, and its hold is kept",
    policy: FORWARD,
    calls: [
      ["emails.send", MAIL, once("other-mail")],
      ["emails.send", { ...MAIL, subject: "another" }, once("other-mail")],
    ],
    outcomes: [DONE, "invalid_idempotent_request"],
    moved: "0.002",
    unresolved: 1,
  },
  {
    title: "a repeat under the same key is answered from the record",
    calls: [
      ["batch.send", [MAIL], once("batch")],
      ["batch.send", [MAIL], once("batch")],
    ],
    outcomes: [DONE, DONE],
    moved: "0.002",
    arrives: ["POST /emails/batch"],
  },
];
