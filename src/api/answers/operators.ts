import { Type } from "@sinclair/typebox";
import type { BrakeView } from "../../operate/brake-verbs.ts";
import type { IssuedTokenView, TokenView, VendorTestView, VendorView } from "../../operate/control-plane.ts";
import type { SessionView } from "../../operate/sessions.ts";
import type { ListedVendorView } from "../../operate/vendor-health.ts";
import { OPERATION_CLASSES, type OperationView } from "../../operate/vendor-operations.ts";
import type { PriceView } from "../../operate/vendor-prices.ts";
import { CONTROL_ROLES } from "../../vault/control-token.ts";
import { CAPPED_KINDS } from "../../vendors/vendor.ts";
import { answerOf, oneOf, orNull } from "../described.ts";
import { count, dollars, instant, instantOrNull, vendorName, words } from "./values.ts";

const VENDOR_FIELDS = {
  name: vendorName("Its name in paths and policies."),
  title: words("Its name for people.", "Stripe"),
  configured: Type.Boolean({ description: "Whether it has a secret.", examples: [true] }),
  idempotency: oneOf(
    ["always", "passed", "never"] as const,
    "Whether its calls carry an idempotency key: every one, those whose agent gave one, none.",
  ),
  account_id: orNull(words("The account.", "AC00000000000000000000000000000000"), "Twilio's account SID."),
  origin: words("Where it is called.", "https://api.stripe.com"),
  private: Type.Boolean({ description: "Whether http and private addresses are allowed.", examples: [false] }),
  version: count("Of its settings; 0 where there are none."),
  updated_at: instantOrNull("When its settings were changed last."),
};

/** A vendor; never its secret. */
export const VendorAnswer = answerOf<VendorView>()(Type.Object(VENDOR_FIELDS, { title: "Vendor" }));

const ListedVendorAnswer = answerOf<ListedVendorView>()(
  Type.Object(
    {
      ...VENDOR_FIELDS,
      health: Type.Object(
        {
          calls: count("Calls that reached for it, among the newest of all calls."),
          failed: count("Those of them that it did not answer, answered 5xx, or whose secret it did not take (401)."),
          last_success_at: instantOrNull("The newest of the good ones."),
          last_failure_at: instantOrNull("The newest of the failed ones."),
          last_failure: orNull(words("What failed.", "upstream_timeout"), "A verdict, or http_ and the status."),
        },
        { title: "VendorHealth", description: "How its newest calls went." },
      ),
    },
    { title: "ListedVendor" },
  ),
);

/** `GET /vendors`. */
export const VendorsAnswer = Type.Object({ vendors: Type.Array(ListedVendorAnswer) }, { title: "Vendors" });

/** `DELETE /vendors/{name}/secret`. */
export const RemovedVendorAnswer = Type.Object(
  {
    name: vendorName("The vendor."),
    removed: Type.Boolean({ description: "False where it had no secret.", examples: [true] }),
  },
  { title: "RemovedVendor" },
);

/** `POST /vendors/{name}/test`. */
export const VendorTestAnswer = answerOf<VendorTestView>()(
  Type.Object(
    {
      name: vendorName("The vendor."),
      ok: Type.Boolean({ description: "Whether it accepts the secret.", examples: [true] }),
      http_status: orNull(count("Of its answer."), "The vendor's status; null where it was not reached."),
      message: words("In a sentence.", "Stripe accepts the secret"),
    },
    { title: "VendorTest" },
  ),
);

const OperationAnswer = answerOf<OperationView>()(
  Type.Object(
    {
      name: words("The operation.", "payment_intents.create"),
      route: words("In the grammar of allowed_endpoints.", "POST /v1/payment_intents"),
      class: oneOf(OPERATION_CLASSES, "How its cost is known."),
      kind: oneOf(["read", "write", ...CAPPED_KINDS] as const, "What its money is."),
      code: orNull(
        oneOf(["endpoint_denied", "cost_unknown"], "The refusal."),
        "What the agent is told where it is closed; null where it is not.",
      ),
      detail: orNull(
        words("In words.", "amount"),
        "What is counted, or why it is closed; null where all of it is free.",
      ),
    },
    { title: "Operation" },
  ),
);

/** `GET /vendors/{name}/operations`. */
export const OperationsAnswer = Type.Object(
  { operations: Type.Array(OperationAnswer, { description: "In the order in which they decide." }) },
  { title: "Operations" },
);

const PriceAnswer = answerOf<PriceView>()(
  Type.Object(
    {
      name: words("As keybrake.yaml has it.", "twilio.sms.+44"),
      unit: words("What it is the price of.", "one message segment"),
      usd: orNull(words("Dollars.", "0.0524"), "Dollars, of a table the lowest; null without a figure."),
      usd_max: orNull(words("Dollars.", "0.0979"), "The highest of a table that is not shown in full, else null."),
      prefixes: orNull(count("Prefixes."), "Of a table that is not shown in full: how many lines it has, else null."),
      from: orNull(oneOf(["keybrake.yaml", "built-in"], "Who says so."), "Null where there is no figure."),
      as_of: orNull(words("A month or day.", "2026-04"), "Of a built-in figure."),
      source: orNull(words("Where from.", "twilio.com"), "Of a built-in figure."),
      otherwise: orNull(words("In words.", "what the request says"), "What holds without a figure."),
    },
    { title: "Price" },
  ),
);

/** `GET /vendors/{name}/prices`. */
export const PricesAnswer = Type.Object({ prices: Type.Array(PriceAnswer) }, { title: "Prices" });

/** `POST /brake`. */
export const BrakeAnswer = answerOf<BrakeView>()(
  Type.Object(
    {
      id: words("The brake.", "brk_01k5x3r9t7e2mfq8"),
      vendor: orNull(vendorName("Its vendor."), "Calls to this vendor; null for every one."),
      label_prefix: orNull(words("Its prefix.", "ray-billing/"), "Runs whose label begins so; null for all."),
      reason: orNull(words("Why.", "runaway"), "Why; agents are told."),
      engaged_at: instant("When it was engaged."),
    },
    { title: "Brake" },
  ),
);

/** `GET /brake`. */
export const BrakesAnswer = Type.Object({ brakes: Type.Array(BrakeAnswer) }, { title: "Brakes" });

/** `DELETE /brake`. */
export const ReleasedAnswer = Type.Object(
  { released: Type.Array(BrakeAnswer, { description: "Empty where no brake was engaged." }) },
  { title: "Released" },
);

const TOKEN = {
  id: words("The token's id; no secret.", "tok_01k5x3r9t7e2mfq8"),
  role: oneOf(CONTROL_ROLES, "What it may do."),
  name: orNull(words("What for.", "ray"), "What the token is for."),
  templates: orNull(Type.Array(words("A template.", "billing")), "An issuer's templates; null where all are allowed."),
  max_daily_usd: orNull(
    dollars("The ceiling."),
    "The highest daily_usd_cap of an issuer's keys; null without a limit.",
  ),
  created_at: instant("When it was issued."),
  revoked_at: instantOrNull("When it was revoked; null where it was not."),
};

/** `GET /tokens`. */
export const TokensAnswer = Type.Object(
  { tokens: Type.Array(answerOf<TokenView>()(Type.Object(TOKEN, { title: "ControlToken" }))) },
  { title: "ControlTokens" },
);

/** `POST /tokens`. */
export const IssuedTokenAnswer = answerOf<IssuedTokenView>()(
  Type.Object(
    { ...TOKEN, token: words("The token itself. It is shown this once.", "kb_admin_shown-once") },
    { title: "IssuedControlToken" },
  ),
);

/** `DELETE /tokens/{id}`. */
export const RevokedTokenAnswer = Type.Object(
  { id: TOKEN.id, revoked: Type.Boolean({ description: "False where it was revoked before.", examples: [true] }) },
  { title: "RevokedControlToken" },
);

/** `POST /session` and `GET /session`. */
export const SessionAnswer = answerOf<SessionView>()(
  Type.Object(
    {
      role: TOKEN.role,
      token_id: TOKEN.id,
      name: TOKEN.name,
      templates: TOKEN.templates,
      max_daily_usd: TOKEN.max_daily_usd,
      expires_at: instantOrNull("When the session ends; null with a token by itself."),
    },
    { title: "Session" },
  ),
);

/** `DELETE /session`. */
export const EndedSessionAnswer = Type.Object(
  { ended: Type.Boolean({ description: "False where the request bore a token and no session.", examples: [true] }) },
  { title: "EndedSession" },
);

/** `GET /healthz` and `GET /readyz`. */
export const HealthAnswer = Type.Object({ status: words("In a word.", "ok") }, { title: "Health" });
