import type { Agent } from "./agents.ts";
import type { RefusalName } from "./refusals.ts";

/** An agent, and what its SDK makes of each refusal. */
export interface Row extends Agent {
  /** The class that the SDK throws, or the name of the error that it returns. */
  readonly errors: Readonly<Record<RefusalName, string>>;
  /** Attempts where the SDK makes more than one. */
  readonly attempts?: Partial<Readonly<Record<RefusalName, number>>>;
  /** Refusals that cannot be waited for. */
  readonly without?: readonly RefusalName[];
  /** What this client calls, where it is not the vendor's usual call. */
  readonly called?: string;
  /** Whether its call costs nothing, so that no cap can stop it. */
  readonly isFree?: boolean;
  /** Whether the SDK keeps the body from its user, and Keybrake's sentence with it. */
  readonly isMute?: boolean;
}

/** One class for everything. */
export function always(error: string): Row["errors"] {
  return { revoked: error, denied: error, capped: error, unconfigured: error, frozen: error };
}

const STRIPE_ERRORS: Row["errors"] = {
  revoked: "StripeAuthenticationError",
  denied: "StripePermissionError",
  capped: "StripeRateLimitError",
  unconfigured: "StripeAPIError",
  frozen: "StripeAPIError",
};

const SEGMENT = {
  sdk: "@segment/analytics-node",
  vendor: "segment",
  errors: always("delivery_failure"),
  isMute: true,
} as const;

/** Every SDK and version as it comes, and with what it has against failures turned up. */
export const NODE_ROWS: readonly Row[] = [
  ...["stripe", "stripe-v22", "stripe-v20"].flatMap((sdk) => [
    // Keybrake's Stripe-Should-Retry says that waiting helps in none of these.
    { sdk, vendor: "stripe", options: {}, errors: STRIPE_ERRORS } as const,
    { sdk, vendor: "stripe", options: { maxNetworkRetries: 3 }, errors: STRIPE_ERRORS } as const,
  ]),
  { sdk: "twilio", vendor: "twilio", options: {}, errors: always("RestException") },
  {
    sdk: "twilio",
    vendor: "twilio",
    options: { autoRetry: true },
    errors: always("RestException"),
    // It repeats every 429, and no header stops it: the repeats are answered here and never reach Twilio.
    attempts: { capped: 4 },
  },
  {
    sdk: "resend",
    vendor: "resend",
    options: {},
    errors: {
      revoked: "invalid_api_key",
      denied: "restricted_api_key",
      capped: "daily_quota_exceeded",
      unconfigured: "application_error",
      frozen: "internal_server_error",
    },
  },
  {
    sdk: "postmark",
    vendor: "postmark",
    options: {},
    errors: {
      revoked: "InvalidAPIKeyError",
      denied: "UnknownError",
      capped: "RateLimitExceededError",
      // Spelled so by the SDK.
      unconfigured: "ServiceUnavailablerError",
      frozen: "ServiceUnavailablerError",
    },
  },
  { sdk: "@sendgrid/mail", vendor: "sendgrid", options: {}, errors: always("ResponseError") },
  // Its user is told the status, and no word of the body. By itself it repeats a 503 ten times, for minutes.
  { ...SEGMENT, options: {}, without: ["unconfigured", "frozen"] },
  { ...SEGMENT, options: { maxRetries: 1 }, attempts: { unconfigured: 2, frozen: 2 } },
  ...(
    [
      [{}, 1],
      [{ retries: 2 }, 3],
    ] as const
  ).flatMap(([options, attempts]): Row[] => {
    const shopify = { sdk: "@shopify/admin-api-client", vendor: "shopify", options } as const;
    const repeated = { unconfigured: attempts, frozen: attempts };
    return [
      { ...shopify, surface: "shopify-rest", errors: always("Response"), attempts: repeated },
      {
        ...shopify,
        surface: "shopify-graphql",
        called: "POST /admin/api/2026-07/graphql.json",
        isFree: true,
        errors: always("errors"),
        attempts: repeated,
      },
    ];
  }),
];
