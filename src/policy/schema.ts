import { type Static, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { CAPPED_KINDS } from "../vendors/vendor.ts";
import { type FieldKind, VALUE_SCHEMAS } from "./value-schemas.ts";

/**
 * Where a field stands in a policy for several vendors: within a vendor's own fields (`vendor`), at the top (`key`), at
 * either, where at the top it counts the calls of all vendors together (`joint`) or holds for the vendors that do not say
 * otherwise (`default`), or at the top and in no policy for one vendor (`several`).
 */
export type FieldPlace = "vendor" | "key" | "joint" | "default" | "several";

/** One field of a policy as the documentation, the command line and OpenAPI show it. */
export interface PolicyField {
  readonly name: PolicyFieldName;
  readonly kind: FieldKind;
  readonly place: FieldPlace;
  readonly description: string;
  /** `--daily-usd-cap <usd>`; undefined for what a flag cannot say (`parameters`, `vendors`). */
  readonly cliFlag: string | undefined;
}

const PLACEHOLDERS: Readonly<Record<FieldKind, string>> = {
  usd: "usd",
  count: "n",
  duration: "duration",
  list: "a,b",
  text: "text",
  money: "500eur",
  caps: "kind.daily_usd=usd",
  vendor_usd: "vendor=usd",
  unknown_cost: "deny|allow|reserve_usd=5",
  auto_revoke: "cap_hits=10/1h",
  rules: "",
  vendors: "",
};

/** A schema of `kind` that carries what documentation and command line need (`x-` keywords are OpenAPI's own extension). */
function field<K extends keyof typeof VALUE_SCHEMAS>(
  kind: K,
  description: string,
  { place = "vendor", flag = true }: { readonly place?: FieldPlace; readonly flag?: boolean } = {},
): (typeof VALUE_SCHEMAS)[K] {
  return { ...VALUE_SCHEMAS[kind], description, "x-kind": kind, "x-place": place, "x-flag": flag };
}

/** Every field of a policy for one vendor, once; what stands beside them for several comes after. */
const ONE_VENDOR_FIELDS = {
  vendor: Type.Optional(
    field("text", "The vendor that the key is for: stripe, twilio, resend, or a declared one like postmark.", {
      place: "key",
    }),
  ),
  description: Type.Optional(field("text", "What the key is for, in words.", { place: "key" })),
  daily_usd_cap: Type.Optional(field("usd", "Dollars that may be spent per cap window, over all calls.")),
  cap_window: Type.Optional(
    field(
      "text",
      "What the daily caps count over: utc_day (the default), or rolling_24h, the last 24 hours to the millisecond.",
      { place: "key" },
    ),
  ),
  total_usd_cap: Type.Optional(
    field("usd", "Dollars that may be spent over the key's whole life.", { place: "joint" }),
  ),
  daily_cap: Type.Optional(
    field(
      "money",
      "A cap per window in another currency, like 500eur, or { amount: 500, currency: eur }; holds beside daily_usd_cap.",
    ),
  ),
  total_cap: Type.Optional(
    field("money", "A cap over the key's whole life in another currency, like 500eur; holds beside total_usd_cap."),
  ),
  caps: Type.Optional(
    field(
      "caps",
      `Dollars that each kind of money may take, like refund.daily_usd=50 in a flag and { refund: { daily_usd: 50 } } elsewhere. Kinds: ${CAPPED_KINDS.join(", ")}. Counted from when it is set.`,
    ),
  ),
  max_amount_per_call_usd: Type.Optional(field("usd", "Dollars that one call may cost at most.")),
  on_unknown_cost: Type.Optional(
    field(
      "unknown_cost",
      "What becomes of a call whose cost nobody can tell beforehand: deny (the default), { reserve_usd: 5 } (reserve_usd=5 in a flag) holds that much for it, allow counts nothing of it.",
      { place: "default" },
    ),
  ),
  allowed_endpoints: Type.Optional(
    field(
      "list",
      'Endpoints that may be called, like "POST /v1/charges": * is one segment, ** the rest, * as method any. Without a list nothing may be called.',
    ),
  ),
  denied_endpoints: Type.Optional(field("list", "Endpoints that may not be called, even where they are allowed.")),
  parameters: Type.Optional(
    field("rules", "Rules about single request parameters, named as the vendor writes them.", { flag: false }),
  ),
  customers: Type.Optional(
    field("list", "The vendor's customers (cus_…) that may be charged or touched; a charge must name one of them."),
  ),
  merchants: Type.Optional(
    field("list", "Accounts within the vendor (Stripe Connect, Twilio sub-accounts) that may be named. Default: none."),
  ),
  to_prefixes: Type.Optional(field("list", "Every number called or texted begins with one of these, like +1.")),
  from_numbers: Type.Optional(field("list", "The senders that may be used for calls and messages.")),
  from_domains: Type.Optional(field("list", "The domains that mail may be sent from.")),
  to_domains: Type.Optional(field("list", "The domains that mail may be sent to, over every to, cc and bcc.")),
  daily_send_cap: Type.Optional(field("count", "Messages or recipients that may be sent to per cap window.")),
  max_write_operations: Type.Optional(
    field(
      "count",
      "Calls that are no reads (GET, HEAD, OPTIONS) over the key's whole life. Counted from when it is set.",
      { place: "joint" },
    ),
  ),
  requests_per_minute: Type.Optional(
    field("count", "Calls, reads too, that may be admitted within any 60 seconds, whatever becomes of them.", {
      place: "joint",
    }),
  ),
  requests_per_hour: Type.Optional(
    field("count", "Calls, reads too, that may be admitted within any 60 minutes, whatever becomes of them.", {
      place: "joint",
    }),
  ),
  idempotency: Type.Optional(
    field(
      "text",
      "What becomes of a repeat with the same Idempotency-Key: replay (the default) answers it from the record, forward sends it on.",
      { place: "default" },
    ),
  ),
  dedup_window: Type.Optional(
    field(
      "duration",
      "For how long the same call (method, path and body) gets the first one's answer and is not sent again, whatever its Idempotency-Key.",
      { place: "default" },
    ),
  ),
  allowed_currencies: Type.Optional(field("list", "Currencies that may be charged (ISO codes). Default: usd.")),
  auto_revoke: Type.Optional(
    field(
      "auto_revoke",
      "What revokes the key by itself: a rule or several of { cap_hits: 10, within: 1h }, { vendor_errors: 50, within: 5m }, { requests_over_baseline: 5x }; in a flag cap_hits=10/1h,requests_over_baseline=5x.",
      { place: "key" },
    ),
  ),
  expires_in: Type.Optional(
    field("duration", "How long the key lives: 30s, 5m, 2h, 7d, or seconds.", { place: "key" }),
  ),
} as const;

function placeOf(schema: TSchema): FieldPlace {
  return schema["x-place"] as FieldPlace;
}

/** The fields that a vendor has for itself where a key is for several. */
export const VENDOR_FIELD_SCHEMAS = Object.fromEntries(
  Object.entries(ONE_VENDOR_FIELDS).filter(([, schema]) => placeOf(schema) !== "key"),
) as Partial<typeof ONE_VENDOR_FIELDS>;

const VENDORS_DESCRIPTION =
  "In place of vendor: one key for several vendors, each with its own fields, like { stripe: { daily_usd_cap: 500, … }, twilio: { … } }.";

/** Every field of a policy, once. Templates, the API's body and the command line's flags are all derived from here. */
export const PolicySchema = Type.Object(
  {
    ...ONE_VENDOR_FIELDS,
    vendors: Type.Optional(
      Type.Record(Type.String(), Type.Object(VENDOR_FIELD_SCHEMAS as TProperties, { additionalProperties: false }), {
        description: VENDORS_DESCRIPTION,
        "x-kind": "vendors",
        "x-place": "several",
        "x-flag": false,
      }),
    ),
    daily_usd_cap_total: Type.Optional(
      field("usd", "Of a key for several vendors: dollars that may be spent per cap window, over all of them.", {
        place: "several",
      }),
    ),
    per_vendor_daily_caps: Type.Optional(
      field(
        "vendor_usd",
        "Of a key for several vendors: dollars that each may take per cap window, like stripe=500,twilio=20 in a flag and { stripe: 500, twilio: 20 } elsewhere; holds beside the vendor's own daily_usd_cap.",
        { place: "several" },
      ),
    ),
  },
  { additionalProperties: false },
);

/** A policy as it may be given: before `validatePolicy` has made amounts text and lists arrays. */
export type PolicyInput = Static<typeof PolicySchema>;
export type PolicyFieldName = keyof PolicyInput & string;

export const POLICY_FIELDS: readonly PolicyField[] = Object.entries(PolicySchema.properties).map(([name, schema]) => {
  const kind = (schema as TSchema)["x-kind"] as FieldKind;
  const flag = (schema as TSchema)["x-flag"] as boolean;
  return {
    name: name as PolicyFieldName,
    kind,
    place: placeOf(schema),
    description: schema.description ?? "",
    cliFlag: flag ? `--${name.replaceAll("_", "-")} <${PLACEHOLDERS[kind]}>` : undefined,
  };
});

export const POLICY_FIELD_NAMES: ReadonlySet<string> = new Set(POLICY_FIELDS.map(({ name }) => name));

/** The names that may stand within a vendor's own fields. */
export const VENDOR_FIELD_NAMES: ReadonlySet<string> = new Set(Object.keys(VENDOR_FIELD_SCHEMAS));
