import { type Static, type TOptional, type TSchema, Type } from "@sinclair/typebox";
import { CAPPED_KINDS, type CappedKind } from "../vendors/vendor.ts";

/**
 * How a field is written and read: `usd` and `count` as numbers or their text, `duration` as `2h`, `list` as an array or
 * comma-separated text, `text`, `money` as a map or text like `500 eur`, `caps` as a map of caps by kind or text like
 * `refund.daily_usd=50,payout.daily_usd=0`, `unknown_cost` as a word, a map or text like `reserve_usd=5`, `auto_revoke` as a rule,
 * a list of them or text like `cap_hits=10/1h`, and `rules` as a map of parameter rules.
 */
export type FieldKind =
  | "usd"
  | "count"
  | "duration"
  | "list"
  | "text"
  | "money"
  | "caps"
  | "unknown_cost"
  | "auto_revoke"
  | "rules";

/** One field of a policy as the documentation, the command line and OpenAPI show it. */
export interface PolicyField {
  readonly name: PolicyFieldName;
  readonly kind: FieldKind;
  readonly description: string;
  /** `--daily-usd-cap <usd>`; undefined for what a flag cannot say (`parameters`). */
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
  unknown_cost: "deny|allow|reserve_usd=5",
  auto_revoke: "cap_hits=10/1h",
  rules: "",
};

const amount = Type.Union([Type.Number({ minimum: 0 }), Type.String()]);
const wholeNumber = Type.Union([Type.Integer(), Type.String()]);
const values = Type.Union([Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()])), Type.String()]);

const ParameterRuleSchema = Type.Object(
  {
    in: Type.Optional({ ...values, description: "The value is one of these." }),
    not_in: Type.Optional({ ...values, description: "The value is none of these." }),
    min: Type.Optional({ ...wholeNumber, description: "The value is a whole number, at least this." }),
    max: Type.Optional({ ...wholeNumber, description: "The value is a whole number, at most this." }),
    matches: Type.Optional(Type.String({ description: "The whole value matches this regular expression." })),
    prefix_in: Type.Optional({ ...values, description: "The value begins with one of these." }),
    required: Type.Optional(Type.Boolean({ description: "Calls that change something must carry the parameter." })),
    forbidden: Type.Optional(Type.Boolean({ description: "The parameter may not be sent." })),
  },
  { additionalProperties: false },
);

const MoneySchema = Type.Object(
  {
    amount: { ...amount, description: "In the currency's own unit, like 500 euros." },
    currency: Type.String({ description: "ISO code; one other than usd needs a rate in the configuration." }),
  },
  { additionalProperties: false },
);

const KindCapSchema = Type.Object(
  {
    daily_usd: Type.Optional({ ...amount, description: "Dollars per cap window; 0 lets none of this kind through." }),
    total_usd: Type.Optional({ ...amount, description: "Dollars over the key's whole life." }),
  },
  { additionalProperties: false },
);

const byKind = Object.fromEntries(CAPPED_KINDS.map((kind) => [kind, Type.Optional(KindCapSchema)]));
const CapsSchema = Type.Object(byKind as Record<CappedKind, TOptional<typeof KindCapSchema>>, {
  additionalProperties: false,
});

const ReserveSchema = Type.Object(
  { reserve_usd: { ...amount, description: "Dollars that such a call is held at; above 0." } },
  { additionalProperties: false },
);

const AutoRevokeSchema = Type.Object(
  {
    cap_hits: Type.Optional({ ...wholeNumber, description: "So many calls refused by caps, within that time." }),
    vendor_errors: Type.Optional({ ...wholeNumber, description: "So many errors of the vendor, within that time." }),
    requests_over_baseline: Type.Optional({ ...wholeNumber, description: "So many times the mean hour, like 5x." }),
    within: Type.Optional(Type.String({ description: "How long what is counted counts: 1s to 24h." })),
  },
  { additionalProperties: false },
);

const SCHEMAS = {
  usd: amount,
  count: wholeNumber,
  duration: Type.Union([Type.String(), Type.Integer({ minimum: 1 })]),
  list: Type.Union([Type.Array(Type.String()), Type.String()]),
  text: Type.String(),
  money: Type.Union([MoneySchema, Type.String()]),
  caps: Type.Union([CapsSchema, Type.String()]),
  unknown_cost: Type.Union([ReserveSchema, Type.String()]),
  auto_revoke: Type.Union([AutoRevokeSchema, Type.Array(AutoRevokeSchema), Type.String()]),
  rules: Type.Record(Type.String(), ParameterRuleSchema),
} as const satisfies Record<FieldKind, TSchema>;

/** A schema of `kind` that carries what documentation and command line need (`x-` keywords are OpenAPI's own extension). */
function field<K extends FieldKind>(kind: K, description: string, flag: boolean = true): (typeof SCHEMAS)[K] {
  return { ...SCHEMAS[kind], description, "x-kind": kind, "x-flag": flag };
}

/** Every field of a policy, once. Templates, the API's body and the command line's flags are all derived from here. */
export const PolicySchema = Type.Object(
  {
    vendor: field("text", "The vendor that the key is for: stripe, twilio, resend, or a declared one like postmark."),
    description: Type.Optional(field("text", "What the key is for, in words.")),
    daily_usd_cap: Type.Optional(field("usd", "Dollars that may be spent per cap window, over all calls.")),
    cap_window: Type.Optional(
      field(
        "text",
        "What the daily caps count over: utc_day (the default), or rolling_24h, the last 24 hours to the millisecond.",
      ),
    ),
    total_usd_cap: Type.Optional(field("usd", "Dollars that may be spent over the key's whole life.")),
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
      field("rules", "Rules about single request parameters, named as the vendor writes them.", false),
    ),
    customers: Type.Optional(
      field("list", "The vendor's customers (cus_…) that may be charged or touched; a charge must name one of them."),
    ),
    merchants: Type.Optional(
      field(
        "list",
        "Accounts within the vendor (Stripe Connect, Twilio sub-accounts) that may be named. Default: none.",
      ),
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
      ),
    ),
    requests_per_minute: Type.Optional(
      field("count", "Calls, reads too, that may be admitted within any 60 seconds, whatever becomes of them."),
    ),
    requests_per_hour: Type.Optional(
      field("count", "Calls, reads too, that may be admitted within any 60 minutes, whatever becomes of them."),
    ),
    idempotency: Type.Optional(
      field(
        "text",
        "What becomes of a repeat with the same Idempotency-Key: replay (the default) answers it from the record, forward sends it on.",
      ),
    ),
    dedup_window: Type.Optional(
      field(
        "duration",
        "For how long the same call (method, path and body) gets the first one's answer and is not sent again, whatever its Idempotency-Key.",
      ),
    ),
    allowed_currencies: Type.Optional(field("list", "Currencies that may be charged (ISO codes). Default: usd.")),
    auto_revoke: Type.Optional(
      field(
        "auto_revoke",
        "What revokes the key by itself: a rule or several of { cap_hits: 10, within: 1h }, { vendor_errors: 50, within: 5m }, { requests_over_baseline: 5x }; in a flag cap_hits=10/1h,requests_over_baseline=5x.",
      ),
    ),
    expires_in: Type.Optional(field("duration", "How long the key lives: 30s, 5m, 2h, 7d, or seconds.")),
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
    description: schema.description ?? "",
    cliFlag: flag ? `--${name.replaceAll("_", "-")} <${PLACEHOLDERS[kind]}>` : undefined,
  };
});

export const POLICY_FIELD_NAMES: ReadonlySet<string> = new Set(POLICY_FIELDS.map(({ name }) => name));

/** The caps that a kind can have under `caps`. */
export const KIND_CAP_NAMES: readonly string[] = Object.keys(KindCapSchema.properties);

/** The words of a rule under `parameters`. */
export const RULE_NAMES: readonly string[] = Object.keys(ParameterRuleSchema.properties);

/** Fields of later versions: known, so that nobody believes a rule to be in force that is not. */
export const LATER_FIELDS: ReadonlyMap<string, string> = new Map([
  ["vendors", "issue one key per vendor, each with its own policy"],
  ["daily_usd_cap_total", "use daily_usd_cap on each vendor's key"],
  ["per_vendor_daily_caps", "use daily_usd_cap on each vendor's key"],
]);
