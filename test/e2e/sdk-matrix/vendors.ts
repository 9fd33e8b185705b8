import { succeededIntent } from "../../harness/stripe-answers.ts";
import { ACCOUNT_SID } from "../../harness/vendor-account.ts";
import type { DoubleAnswer, RecordedRequest } from "../../harness/vendor-double.ts";

export interface VendorCase {
  /** Looks like a secret to the tests and to nobody else. */
  readonly secret: string;
  /** Of `vendor set`, beside the address. */
  readonly settings: readonly string[];
  /** What the agents call, as a policy names it. */
  readonly endpoints: readonly string[];
  /** As the sentence of a refusal names it. */
  readonly called: string;
  /** A cap that the first of an agent's calls fits under and the second does not. */
  readonly cap: Readonly<Record<string, string | number>>;
  /** What the second is told, with the numbers. */
  readonly capSentence: string;
  /** 403 where the vendor's SDK repeats every 429. */
  readonly capStatus: 429 | 403;
  /** A read that the vendor has, for a policy that allows nothing else. */
  readonly otherEndpoint: string;
  readonly answer: (request: RecordedRequest) => DoubleAnswer;
}

const json = (status: number, body: unknown): DoubleAnswer => ({ status, body: JSON.stringify(body) });

const messageSent = () => json(201, { sid: `SM${"0".repeat(32)}`, status: "queued", num_segments: "1", price: null });

/** What each vendor's agents call, and the policies under which they meet a refusal. */
export const VENDOR_CASES = {
  stripe: {
    secret: "sk_test_matrix_real_secret_0123456789",
    settings: [],
    endpoints: ["POST /v1/payment_intents"],
    called: "POST /v1/payment_intents",
    otherEndpoint: "GET /v1/customers/*",
    cap: { daily_usd_cap: "10" },
    capSentence: "daily_usd_cap is reached: $8.00 of $10.00 is used and this call may cost $8.00. It resets at ",
    capStatus: 429,
    answer: succeededIntent,
  },
  twilio: {
    secret: "0matrix0real0twilio0auth0token00",
    settings: [],
    endpoints: ["POST /2010-04-01/Accounts/*/Messages.json"],
    called: `POST /2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`,
    otherEndpoint: "GET /2010-04-01/Accounts/*/Messages.json",
    cap: { daily_usd_cap: "5", daily_send_cap: 1 },
    capSentence: "daily_send_cap is reached: 1 of 1 sends are used. It resets at ",
    capStatus: 429,
    answer: messageSent,
  },
  resend: {
    secret: "re_matrix_real_secret_0123456789",
    settings: [],
    endpoints: ["POST /emails"],
    called: "POST /emails",
    otherEndpoint: "GET /emails/*",
    cap: { daily_usd_cap: "5", daily_send_cap: 1 },
    capSentence: "daily_send_cap is reached: 1 of 1 sends are used. It resets at ",
    capStatus: 429,
    answer: () => json(200, { id: "email_double_1" }),
  },
  postmark: {
    secret: "00000000-matrix-real-postmark-token0",
    settings: [],
    endpoints: ["POST /email"],
    called: "POST /email",
    otherEndpoint: "GET /bounces",
    cap: { daily_usd_cap: "0.003" },
    capSentence: "daily_usd_cap is reached: $0.0018 of $0.003 is used and this call may cost $0.0018. It resets at ",
    capStatus: 429,
    answer: () => json(200, { MessageID: "double-1", ErrorCode: 0, Message: "OK", To: "b@example.org" }),
  },
  sendgrid: {
    secret: "SG.matrix_real_secret_0123456789",
    settings: [],
    endpoints: ["POST /v3/mail/send"],
    called: "POST /v3/mail/send",
    otherEndpoint: "GET /v3/templates",
    cap: { daily_usd_cap: "0.002" },
    capSentence: "daily_usd_cap is reached: $0.00133 of $0.002 is used and this call may cost $0.00133. It resets at ",
    capStatus: 429,
    answer: () => ({ status: 202, headers: { "x-message-id": "double-1" }, body: "" }),
  },
  segment: {
    secret: "matrixRealWriteKey0123456789abcd",
    settings: [],
    endpoints: ["POST /v1/batch"],
    called: "POST /v1/batch",
    otherEndpoint: "POST /v1/track",
    cap: { daily_usd_cap: "0.02" },
    capSentence: "daily_usd_cap is reached: $0.012 of $0.02 is used and this call may cost $0.012. It resets at ",
    capStatus: 403,
    answer: () => json(200, { success: true }),
  },
  shopify: {
    secret: "shpat_matrix_real_secret_0123456789",
    settings: ["--account-id", "keybrake-test"],
    endpoints: ["POST /admin/api/*/orders/*/refunds.json", "POST /admin/api/*/graphql.json"],
    called: "POST /admin/api/2026-07/orders/450789469/refunds.json",
    otherEndpoint: "GET /admin/api/*/orders.json",
    cap: { daily_usd_cap: "10" },
    capSentence: "daily_usd_cap is reached: $8.00 of $10.00 is used and this call may cost $8.00. It resets at ",
    capStatus: 403,
    answer: ({ target }) =>
      target.endsWith("/graphql.json")
        ? json(200, { data: { shop: { name: "Keybrake test" } } })
        : json(201, { refund: { id: 509562969, transactions: [{ amount: "8.00", currency: "USD" }] } }),
  },
} as const satisfies Record<string, VendorCase>;

export type VendorName = keyof typeof VENDOR_CASES;
