import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { CAPPED_KINDS } from "../vendors/vendor.ts";
import { PolicySchema } from "./schema.ts";

const MatchSchema = Type.Object(
  {
    vendor: Type.Optional(Type.String({ description: "Calls to this vendor." })),
    label_prefix: Type.Optional(
      Type.String({
        description:
          "Calls of keys whose run label begins with this. tenant:*: stands for a budget per value between the colons.",
      }),
    ),
    kind: Type.Optional(
      Type.String({ description: `Calls that move this kind of money: ${CAPPED_KINDS.join(", ")}.` }),
    ),
  },
  { additionalProperties: false },
);

/** The caps of a budget are those of a key: declared, read and made canonical as a policy's. */
const CapsSchema = Type.Pick(PolicySchema, [
  "daily_usd_cap",
  "daily_cap",
  "total_usd_cap",
  "total_cap",
  "daily_send_cap",
  "cap_window",
]);

const BudgetSchema = Type.Object(
  {
    name: Type.String({ description: "In small letters, digits and dashes; its counters are kept under it." }),
    description: Type.Optional(Type.String({ description: "What the budget is for, in words." })),
    match: Type.Optional({ ...MatchSchema, description: "Which calls it counts; without it every call." }),
    ...CapsSchema.properties,
  },
  { additionalProperties: false },
);

/** `budgets.yaml`, once: what its reader and its lint know is derived from here. */
export const BudgetsFileSchema = Type.Object(
  { budgets: Type.Array(BudgetSchema, { description: "The budgets, in the order in which they answer." }) },
  { additionalProperties: false },
);

export type BudgetsInput = Static<typeof BudgetsFileSchema>;

const names = (schema: TSchema): readonly string[] => Object.keys(schema["properties"] as object);

export const BUDGETS_FILE_FIELDS = names(BudgetsFileSchema);
export const BUDGET_FIELDS = names(BudgetSchema);
export const BUDGET_MATCH_FIELDS = names(MatchSchema);
/** The fields that are read as a policy's: the caps, and when they start again. */
export const BUDGET_CAP_FIELDS = names(CapsSchema);
