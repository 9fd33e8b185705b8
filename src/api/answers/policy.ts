import { type TSchema, Type } from "@sinclair/typebox";
import { type FieldKind, POLICY_FIELDS, type PolicyField } from "../../policy/schema.ts";
import { words } from "./values.ts";

const Amount = Type.String({ examples: ["500.00"] });
const Texts = Type.Array(Type.String());
const AnyMap = Type.Record(Type.String(), Type.Unknown());

/** How each kind of field stands in a policy that has been read: amounts as decimal text, lists as arrays. */
const CANONICAL: Readonly<Record<FieldKind, TSchema>> = {
  usd: Amount,
  count: Type.Integer({ minimum: 0, examples: [100] }),
  duration: Type.String({ examples: ["2h"] }),
  list: Texts,
  text: Type.String(),
  money: Type.Object({ amount: Amount, currency: Type.String({ examples: ["eur"] }) }),
  caps: Type.Record(Type.String(), Type.Object({ daily_usd: Type.Optional(Amount), total_usd: Type.Optional(Amount) })),
  unknown_cost: Type.Union([Type.String({ examples: ["deny"] }), Type.Object({ reserve_usd: Amount })]),
  auto_revoke: Type.Array(AnyMap, { examples: [[{ cap_hits: 10, within: "1h" }]] }),
  rules: Type.Record(Type.String(), AnyMap),
};

function shownField({ name, kind, description }: PolicyField): [string, TSchema] {
  if (name === "vendor") return [name, words(description, "stripe")];
  const endpoints = name === "allowed_endpoints" ? { examples: [["POST /v1/payment_intents"]] } : {};
  return [name, Type.Optional({ ...CANONICAL[kind], description, ...endpoints })];
}

/** A key's policy as it is shown; derived from the policy's own schema. */
export const PolicyAnswer = Type.Unsafe<Readonly<Record<string, unknown>>>(
  Type.Object(Object.fromEntries(POLICY_FIELDS.map(shownField)), { title: "Policy" }),
);
