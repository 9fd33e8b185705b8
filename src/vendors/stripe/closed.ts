import type { Operation } from "../vendor.ts";
import { closed } from "./operation.ts";

/** Operations that hand out credentials or access to an account, take one over, or are a way around Keybrake itself. */
export const CLOSED: readonly Operation[] = [
  ...closed("ephemeral_keys", "returns a key that reads card and customer data", [
    "* /v1/ephemeral_keys",
    "* /v1/ephemeral_keys/**",
  ]),
  ...closed("webhook_endpoints", "returns a signing secret and decides who is told of every event", [
    "POST /v1/webhook_endpoints",
    "POST /v1/webhook_endpoints/*",
    "DELETE /v1/webhook_endpoints/*",
    "* /v2/core/event_destinations",
    "* /v2/core/event_destinations/**",
  ]),
  ...closed("connection_tokens", "returns a secret for card readers", ["* /v1/terminal/connection_tokens"]),
  ...closed("oauth", "returns an access token that is a live secret key", ["* /oauth/**"]),
  ...closed("forwarding", "sends stored card data to an address in the request", ["POST /v1/forwarding/requests"]),
  ...closed("apps.secrets", "stores and returns an app's secrets", ["* /v1/apps/secrets", "* /v1/apps/secrets/**"]),
  ...closed("apps.installs", "gives an app access to the account, or takes it away", [
    "POST /v1/apps/installs",
    "POST /v1/apps/installs/**",
  ]),
  ...closed("account_access", "returns a link or a session that logs in to an account", [
    "POST /v1/account_links",
    "POST /v1/account_sessions",
    "POST /v1/accounts/*/login_links",
    "POST /v2/core/account_links",
  ]),
  ...closed("customer_sessions", "returns a secret that shows and changes a customer's payment methods", [
    "POST /v1/customer_sessions",
  ]),
  // Old versions of the API, which the caller chooses by a header, answer with the new account's secret key.
  ...closed("accounts", "makes, changes or ends an account, or decides what it may do and where it is paid out", [
    "POST /v1/accounts",
    "POST /v1/accounts/*",
    "DELETE /v1/accounts/*",
    "POST /v1/accounts/*/capabilities/*",
    "POST /v1/accounts/*/external_accounts",
    "POST /v1/accounts/*/external_accounts/*",
    "DELETE /v1/accounts/*/external_accounts/*",
    "POST /v1/accounts/*/reject",
    "POST /v1/accounts/*/unreject",
    "POST /v2/core/accounts/*",
    "POST /v2/core/accounts/*/close",
  ]),
  ...closed("balance_settings", "decides when the balance is paid out, how much, and to which bank", [
    "POST /v1/balance_settings",
  ]),
];
