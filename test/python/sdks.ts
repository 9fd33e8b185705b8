// Not *.test.ts: `./scripts/test-sdks` runs it, after it has installed the SDKs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { testMatrix } from "../e2e/sdk-matrix/play-rows.ts";
import { always, type Row } from "../e2e/sdk-matrix/rows.ts";

const STRIPE_ERRORS: Row["errors"] = {
  revoked: "AuthenticationError",
  denied: "PermissionError",
  capped: "RateLimitError",
  unconfigured: "APIError",
  frozen: "APIError",
};

const ROWS: readonly Row[] = [
  // None is repeated however often the client may: Keybrake's Stripe-Should-Retry says that waiting does not help.
  { sdk: "stripe", vendor: "stripe", options: {}, errors: STRIPE_ERRORS },
  { sdk: "stripe", vendor: "stripe", options: { max_network_retries: 4 }, errors: STRIPE_ERRORS },
  {
    sdk: "stripe",
    surface: "StripeClient",
    vendor: "stripe",
    // Unlike the module, a client of its own repeats nothing unless it is told to.
    options: {},
    errors: STRIPE_ERRORS,
  },
  {
    sdk: "stripe",
    surface: "StripeClient",
    vendor: "stripe",
    options: { max_network_retries: 2 },
    errors: STRIPE_ERRORS,
  },
  { sdk: "twilio", vendor: "twilio", options: {}, errors: always("TwilioRestException") },
  { sdk: "twilio", vendor: "twilio", options: { max_retries: 3 }, errors: always("TwilioRestException") },
  { sdk: "resend", vendor: "resend", options: {}, errors: { ...always("ResendError"), capped: "RateLimitError" } },
];

const root = join(import.meta.dir, "../..");
const requirements = readFileSync(join(import.meta.dir, "requirements.txt"), "utf8");

function titleOf({ sdk, surface, options }: Row): string {
  const version = new RegExp(`^${sdk}==(.+)$`, "m").exec(requirements)?.[1];
  const part = surface === undefined ? "" : ` (${surface})`;
  return `${sdk} ${version}${part} ${Object.keys(options).length === 0 ? "as it comes" : `with ${JSON.stringify(options)}`}`;
}

testMatrix(
  ROWS.map((row) => ({ title: titleOf(row), row })),
  [join(root, ".tools/python-sdks/bin/python"), join(import.meta.dir, "run.py")],
);
