import { type TOptional, type TSchema, Type } from "@sinclair/typebox";
import { CAPPED_KINDS, type CappedKind } from "../vendors/vendor.ts";

/**
 * How a field is written and read: `usd` and `count` as numbers or their text, `duration` as `2h`, `list` as an array or
 * comma-separated text, `text`, `money` as a map or text like `500 eur`, `caps` as a map of caps by kind or text like
 * `refund.daily_usd=50,payout.daily_usd=0`, `vendor_usd` as a map of dollars by vendor or text like `stripe=500,twilio=20`,
 * `unknown_cost` as a word, a map or text like `reserve_usd=5`, `auto_revoke` as a rule, a list of them or text like
 * `cap_hits=10/1h`, `rules` as a map of parameter rules, and `vendors` as a map of each vendor's own fields.
 */
export type FieldKind =
  | "usd"
  | "count"
  | "duration"
  | "list"
  | "text"
  | "money"
  | "caps"
  | "vendor_usd"
  | "unknown_cost"
  | "auto_revoke"
  | "rules"
  | "vendors";

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

/** How a value of each kind may be given. */
export const VALUE_SCHEMAS = {
  usd: amount,
  count: wholeNumber,
  duration: Type.Union([Type.String(), Type.Integer({ minimum: 1 })]),
  list: Type.Union([Type.Array(Type.String()), Type.String()]),
  text: Type.String(),
  money: Type.Union([MoneySchema, Type.String()]),
  caps: Type.Union([CapsSchema, Type.String()]),
  vendor_usd: Type.Union([Type.Record(Type.String(), amount), Type.String()]),
  unknown_cost: Type.Union([ReserveSchema, Type.String()]),
  auto_revoke: Type.Union([AutoRevokeSchema, Type.Array(AutoRevokeSchema), Type.String()]),
  rules: Type.Record(Type.String(), ParameterRuleSchema),
} as const satisfies Record<Exclude<FieldKind, "vendors">, TSchema>;

/** The caps that a kind can have under `caps`. */
export const KIND_CAP_NAMES: readonly string[] = Object.keys(KindCapSchema.properties);

/** The words of a rule under `parameters`. */
export const RULE_NAMES: readonly string[] = Object.keys(ParameterRuleSchema.properties);
