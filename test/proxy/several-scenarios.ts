import { ACCOUNT_SID } from "../harness/plane.ts";

/** A call as an agent makes it; a GET where it has no body. */
export interface Made {
  readonly path: string;
  readonly form?: Record<string, string>;
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
}

export const charge = (cents: number, more: Partial<Made> = {}): Made => ({
  path: "/stripe/v1/payment_intents",
  form: { amount: String(cents), currency: "usd", confirm: "true", payment_method: "pm_card_visa" },
  ...more,
});
export const sms = (to: string, body = "hi"): Made => ({
  path: `/twilio/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`,
  form: { To: to, From: "+15005550006", Body: body },
});
export const mail = (to: readonly string[], from = "a@example.com"): Made => ({
  path: "/resend/emails",
  json: { from, to, subject: "s", text: "t" },
});

export const STRIPE = { allowed_endpoints: ["POST /v1/payment_intents", "POST /v1/refunds", "GET /v1/customers/*"] };
export const TWILIO = { allowed_endpoints: ["POST /2010-04-01/Accounts/*/Messages.json"] };
export const RESEND = { allowed_endpoints: ["POST /emails"] };

interface Scenario {
  readonly title: string;
  readonly policy: Record<string, unknown>;
  /** Let through, in this order. */
  readonly passes: readonly Made[];
  /** Refused after them. */
  readonly refused: Made;
  readonly says: Record<string, unknown>;
  /** Let through in the end: what the refusal is not about. */
  readonly after?: readonly Made[];
  readonly calls: Record<string, number>;
  readonly ledger: Record<string, string>;
}

/** Each field of a policy for several vendors, at the top or within one of them. */
export const SCENARIOS: readonly Scenario[] = [
  {
    title: "a vendor's daily_usd_cap is that vendor's alone",
    policy: { vendors: { stripe: { ...STRIPE, daily_usd_cap: 10 }, resend: RESEND } },
    passes: [charge(900)],
    refused: charge(101),
    says: {
      status: 429,
      code: "cap_exceeded",
      budget: "vendors.stripe.daily_usd_cap",
      cap_usd: "10.00",
      used_usd: "9.00",
    },
    after: [mail(["b@example.com"]), charge(100)],
    calls: { stripe: 2, resend: 1 },
    ledger: {
      daily_usd_cap_total: "10000900",
      total_usd_cap: "10000900",
      "vendors.stripe.daily_usd_cap": "10000000",
      "vendors.stripe.total_usd_cap": "10000000",
      "vendors.resend.daily_usd_cap": "900",
      "vendors.resend.total_usd_cap": "900",
      "vendors.resend.daily_send_cap": "1",
    },
  },
  {
    title: "daily_usd_cap_total counts all vendors",
    policy: { vendors: { stripe: { ...STRIPE, daily_usd_cap: 50 }, twilio: TWILIO }, daily_usd_cap_total: 10 },
    passes: [charge(999)],
    refused: sms("+15005550010"),
    says: { status: 429, code: "cap_exceeded", budget: "daily_usd_cap_total", cap_usd: "10.00", used_usd: "9.99" },
    after: [charge(1)],
    calls: { stripe: 2 },
    ledger: {
      daily_usd_cap_total: "10000000",
      total_usd_cap: "10000000",
      "vendors.stripe.daily_usd_cap": "10000000",
      "vendors.stripe.total_usd_cap": "10000000",
    },
  },
  {
    title: "per_vendor_daily_caps holds beside a vendor's own cap",
    policy: {
      vendors: { stripe: { ...STRIPE, daily_usd_cap: 50 }, resend: RESEND },
      per_vendor_daily_caps: { stripe: 10 },
    },
    passes: [charge(1000)],
    refused: charge(1),
    says: { status: 429, code: "cap_exceeded", budget: "per_vendor_daily_caps.stripe", cap_usd: "10.00" },
    after: [mail(["b@example.com"])],
    calls: { stripe: 1, resend: 1 },
    ledger: {
      daily_usd_cap_total: "10000900",
      total_usd_cap: "10000900",
      "vendors.stripe.daily_usd_cap": "10000000",
      "vendors.stripe.total_usd_cap": "10000000",
      "vendors.resend.daily_usd_cap": "900",
      "vendors.resend.total_usd_cap": "900",
      "vendors.resend.daily_send_cap": "1",
    },
  },
  {
    title: "total_usd_cap at the top is over all vendors and the key's life",
    policy: { vendors: { stripe: STRIPE, resend: RESEND }, total_usd_cap: 10 },
    passes: [charge(1000)],
    refused: mail(["b@example.com"]),
    says: { status: 429, code: "cap_exceeded", budget: "total_usd_cap" },
    calls: { stripe: 1 },
    ledger: {
      daily_usd_cap_total: "10000000",
      total_usd_cap: "10000000",
      "vendors.stripe.daily_usd_cap": "10000000",
      "vendors.stripe.total_usd_cap": "10000000",
    },
  },
  {
    title: "a vendor's total_usd_cap and caps by kind are its own",
    policy: {
      vendors: { stripe: { ...STRIPE, caps: { charge: { total_usd: 5 } }, total_usd_cap: 7 }, resend: RESEND },
    },
    passes: [charge(500), mail(["b@example.com"])],
    refused: charge(1),
    says: { status: 429, budget: "vendors.stripe.caps.charge.total_usd", cap_usd: "5.00" },
    calls: { stripe: 1, resend: 1 },
    ledger: {
      daily_usd_cap_total: "5000900",
      total_usd_cap: "5000900",
      "vendors.stripe.daily_usd_cap": "5000000",
      "vendors.stripe.total_usd_cap": "5000000",
      "vendors.stripe.caps.charge.total_usd": "5000000",
      "vendors.resend.daily_usd_cap": "900",
      "vendors.resend.total_usd_cap": "900",
      "vendors.resend.daily_send_cap": "1",
    },
  },
  {
    title: "a vendor's daily_send_cap counts its own sends",
    policy: { vendors: { resend: { ...RESEND, daily_send_cap: 2 }, twilio: { ...TWILIO, daily_send_cap: 5 } } },
    passes: [mail(["b@example.com", "c@example.com"]), sms("+15005550010")],
    refused: mail(["d@example.com"]),
    says: { status: 429, budget: "vendors.resend.daily_send_cap", cap_sends: 2, used_sends: 2 },
    after: [sms("+15005550011")],
    calls: { resend: 1, twilio: 2 },
    ledger: {
      daily_usd_cap_total: "32400",
      total_usd_cap: "32400",
      "vendors.resend.daily_send_cap": "2",
      "vendors.resend.daily_usd_cap": "1800",
      "vendors.resend.total_usd_cap": "1800",
      "vendors.twilio.daily_send_cap": "2",
      "vendors.twilio.daily_usd_cap": "30600",
      "vendors.twilio.total_usd_cap": "30600",
    },
  },
  {
    title: "max_write_operations at the top counts the writes to all vendors",
    policy: { vendors: { stripe: STRIPE, resend: RESEND }, max_write_operations: 2 },
    passes: [charge(100), mail(["b@example.com"])],
    refused: charge(100),
    says: { status: 429, budget: "max_write_operations", cap_writes: 2 },
    after: [{ path: "/stripe/v1/customers/cus_1" }],
    calls: { stripe: 2, resend: 1 },
    ledger: {
      daily_usd_cap_total: "1000900",
      total_usd_cap: "1000900",
      max_write_operations: "2",
      "vendors.stripe.daily_usd_cap": "1000000",
      "vendors.stripe.total_usd_cap": "1000000",
      "vendors.resend.daily_usd_cap": "900",
      "vendors.resend.total_usd_cap": "900",
      "vendors.resend.daily_send_cap": "1",
    },
  },
  {
    title: "requests_per_minute at the top counts the calls to all vendors, a vendor's its own",
    policy: {
      vendors: { stripe: { ...STRIPE, requests_per_minute: 5 }, resend: { ...RESEND, requests_per_minute: 1 } },
      requests_per_minute: 3,
    },
    passes: [{ path: "/stripe/v1/customers/cus_1" }, mail(["b@example.com"])],
    refused: mail(["b@example.com"]),
    says: { status: 429, code: "rate_exceeded", budget: "vendors.resend.requests_per_minute" },
    after: [{ path: "/stripe/v1/customers/cus_1" }],
    calls: { stripe: 2, resend: 1 },
    ledger: {
      daily_usd_cap_total: "900",
      total_usd_cap: "900",
      "requests_per_minute@rolling_minute": "3",
      "vendors.stripe.requests_per_minute@rolling_minute": "2",
      "vendors.resend.requests_per_minute@rolling_minute": "1",
      "vendors.resend.daily_usd_cap": "900",
      "vendors.resend.total_usd_cap": "900",
      "vendors.resend.daily_send_cap": "1",
    },
  },
  {
    title: "cap_window at the top is every vendor's and the total's",
    policy: {
      vendors: { stripe: { ...STRIPE, daily_usd_cap: 10 }, resend: RESEND },
      daily_usd_cap_total: 20,
      cap_window: "rolling_24h",
    },
    passes: [charge(1000)],
    refused: charge(1),
    says: { status: 429, budget: "vendors.stripe.daily_usd_cap" },
    calls: { stripe: 1 },
    ledger: {
      "daily_usd_cap_total@rolling_24h": "10000000",
      total_usd_cap: "10000000",
      "vendors.stripe.daily_usd_cap@rolling_24h": "10000000",
      "vendors.stripe.total_usd_cap": "10000000",
    },
  },
  ...(
    [
      ["allowed_endpoints", {}, mail([]), { status: 403, code: "endpoint_denied" }],
      [
        "max_amount_per_call_usd",
        { stripe: { max_amount_per_call_usd: 5 } },
        charge(501),
        { status: 403, code: "amount_denied" },
      ],
      [
        "parameters",
        { stripe: { parameters: { currency: { in: ["eur"] } } } },
        charge(1),
        { status: 403, code: "parameter_denied" },
      ],
      ["customers", { stripe: { customers: ["cus_1"] } }, charge(1), { status: 403, code: "scope_denied" }],
      ["to_prefixes", { twilio: { to_prefixes: ["+44"] } }, sms("+15005550010"), { status: 403, code: "scope_denied" }],
      [
        "from_numbers",
        { twilio: { from_numbers: ["+15005550009"] } },
        sms("+15005550010"),
        { status: 403, code: "scope_denied" },
      ],
      [
        "from_domains",
        { resend: { from_domains: ["example.org"] } },
        mail(["b@example.com"]),
        { status: 403, code: "scope_denied" },
      ],
      [
        "to_domains",
        { resend: { to_domains: ["example.org"] } },
        mail(["b@example.com"]),
        { status: 403, code: "scope_denied" },
      ],
      [
        "denied_endpoints",
        { stripe: { denied_endpoints: ["POST /v1/**"] } },
        charge(1),
        { status: 403, code: "endpoint_denied" },
      ],
      [
        "allowed_currencies",
        { stripe: { allowed_currencies: ["eur"] } },
        charge(1),
        { status: 403, code: "currency_denied" },
      ],
    ] as const
  ).map(([title, own, refused, says]: readonly [string, Record<string, object>, Made, object]): Scenario => {
    const part = (name: string, fields: object) => ({ [name]: { ...fields, ...own[name] } });
    const mailOnly = title === "allowed_endpoints" ? { resend: { allowed_endpoints: [] } } : part("resend", RESEND);
    return {
      title: `${title} of one vendor`,
      policy: { vendors: { ...part("stripe", STRIPE), ...part("twilio", TWILIO), ...mailOnly } },
      passes: [],
      refused,
      says: { ...says },
      calls: {},
      ledger: {},
    };
  }),
];
