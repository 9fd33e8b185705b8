import { type TSchema, Type } from "@sinclair/typebox";
import { POLICY_FIELDS, type PolicyField, VENDOR_FIELD_NAMES } from "../../policy/schema.ts";
import type { FieldKind } from "../../policy/value-schemas.ts";
import { words } from "./values.ts";

const Amount = Type.String({ examples: ["500.00"] });
const Texts = Type.Array(Type.String());
const AnyMap = Type.Record(Type.String(), Type.Unknown());

/** How each kind of field stands in a policy that has been read: amounts as decimal text, lists as arrays. */
const CANONICAL: Readonly<Record<Exclude<FieldKind, "vendors">, TSchema>> = {
  usd: Amount,
  count: Type.Integer({ minimum: 0, examples: [100] }),
  duration: Type.String({ examples: ["2h"] }),
  list: Texts,
  text: Type.String(),
  money: Type.Object({ amount: Amount, currency: Type.String({ examples: ["eur"] }) }),
  caps: Type.Record(Type.String(), Type.Object({ daily_usd: Type.Optional(Amount), total_usd: Type.Optional(Amount) })),
  vendor_usd: Type.Record(Type.String(), Amount, { examples: [{ stripe: "500.00", twilio: "20.00" }] }),
  unknown_cost: Type.Union([Type.String({ examples: ["deny"] }), Type.Object({ reserve_usd: Amount })]),
  auto_revoke: Type.Array(AnyMap, { examples: [[{ cap_hits: 10, within: "1h" }]] }),
  rules: Type.Record(Type.String(), AnyMap),
};

/** What a vendor has for itself in a policy for several. */
const VendorPart: TSchema = Type.Object(
  Object.fromEntries(POLICY_FIELDS.filter(({ name }) => VENDOR_FIELD_NAMES.has(name)).map(shownField)),
  { title: "VendorPolicy" },
);

function shownField({ name, kind, description }: PolicyField): [string, TSchema] {
  if (name === "vendor") return [name, Type.Optional(words(description, "stripe"))];
  if (kind === "vendors") return [name, Type.Optional(Type.Record(Type.String(), VendorPart, { description }))];
  const endpoints = name === "allowed_endpoints" ? { examples: [["POST /v1/payment_intents"]] } : {};
  return [name, Type.Optional({ ...CANONICAL[kind], description, ...endpoints })];
}

/** A key's policy as it is shown; derived from the policy's own schema. */
export const PolicyAnswer = Type.Unsafe<Readonly<Record<string, unknown>>>(
  Type.Object(Object.fromEntries(POLICY_FIELDS.map(shownField)), { title: "Policy" }),
);
