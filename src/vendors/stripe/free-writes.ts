import type { Operation } from "../vendor.ts";
import { costless, free, operation } from "./operation.ts";

/** Largest file that Stripe takes (docs.stripe.com/file-upload), with room for the multipart frame. */
const FILE_BYTES_MAX = 16 * 1024 * 1024 + 64 * 1024;

/**
 * Writes that move and commit nothing: what payers pay with, who people are, files, readers' screens. Each path by itself:
 * what Stripe adds below one of them is unknown until it stands here.
 */
export const FREE_WRITES: readonly Operation[] = [
  ...free("payment_methods", [
    ...below("payment_methods", "", "/*", "/*/attach", "/*/detach"),
    ...below("payment_method_configurations", "", "/*"),
    ...below("payment_method_domains", "", "/*", "/*/validate"),
    "POST /v1/tokens",
    "POST /v1/test_helpers/confirmation_tokens",
    "POST /v1/apple_pay/domains",
    "DELETE /v1/apple_pay/domains/*",
  ]),
  // A SetupIntent saves a payment method; what its confirm authorises is nothing or is given back at once.
  ...free("setup_intents", below("setup_intents", "", "/*", "/*/cancel", "/*/confirm", "/*/verify_microdeposits")),
  ...free("file_links", below("file_links", "", "/*")),
  { ...operation("files", "free", "write", "POST /v1/files"), bodyKinds: ["multipart"], bodyBytesMax: FILE_BYTES_MAX },
  ...free("persons", [
    ...below("accounts/*/persons", "", "/*"),
    "DELETE /v1/accounts/*/persons/*",
    "POST /v2/core/accounts",
    "POST /v2/core/account_tokens",
    "POST /v2/core/accounts/*/person_tokens",
    "POST /v2/core/accounts/*/persons",
    "POST /v2/core/accounts/*/persons/*",
    "DELETE /v2/core/accounts/*/persons/*",
  ]),
  ...free("identity", below("identity/verification_sessions", "/*", "/*/cancel", "/*/redact")),
  ...free("financial_connections", [
    ...below("financial_connections/accounts", "/*/disconnect", "/*/unsubscribe"),
    "POST /v1/financial_connections/sessions",
  ]),
  ...free("terminal", [
    ...below("terminal/configurations", "", "/*"),
    ...below("terminal/locations", "", "/*"),
    ...below("terminal/readers", "", "/*"),
    ...below("terminal/readers/*", "/cancel_action", "/collect_inputs", "/process_setup_intent", "/set_reader_display"),
    "DELETE /v1/terminal/configurations/*",
    "DELETE /v1/terminal/locations/*",
    "DELETE /v1/terminal/readers/*",
    "POST /v1/terminal/onboarding_links",
  ]),
  ...free("three_d_secure", below("three_d_secure/authentications/*", "/cancel", "/submit")),
  ...free("climate", ["POST /v1/climate/orders/*"]),
  ...costless("payment_records", "write", "nothing: what was paid elsewhere is reported", [
    "POST /v1/payment_records/report_payment",
    ...["", "_canceled", "_failed", "_guaranteed", "_informational"].map(
      (how) => `POST /v1/payment_records/*/report_payment_attempt${how}`,
    ),
    "POST /v1/payment_records/*/report_refund",
  ]),
  ...costless("v2.bank_accounts", "write", "nothing: a bank account is stored, and paid by other calls", [
    ...["gb", "us"].flatMap((country) =>
      ["", "/*/archive", "/*/unarchive"].map((act) => `POST /v2/core/vault/${country}_bank_accounts${act}`),
    ),
    "POST /v2/core/vault/us_bank_accounts/*",
    "POST /v2/core/vault/us_bank_accounts/*/confirm_microdeposits",
  ]),
  // Test mode only: Stripe refuses these with a live secret.
  ...costless("test_helpers", "write", "nothing: test mode only", ["POST /v1/test_helpers/**"]),
];

function below(resource: string, ...paths: readonly string[]): string[] {
  return paths.map((path) => `POST /v1/${resource}${path}`);
}
