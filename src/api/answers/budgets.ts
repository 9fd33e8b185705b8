import { Type } from "@sinclair/typebox";
import type { BudgetAboveView, BudgetView, SharedBudgetView } from "../../operate/budget-verbs.ts";
import { answerOf, oneOf, orNull } from "../described.ts";
import {
  instantOrNull,
  keyId,
  labelOrNull,
  nextCursor,
  vendorList,
  vendorName,
  vendorOrNull,
  words,
} from "./values.ts";

const UNITS = ["usd", "sends", "writes", "requests"] as const;

const FIELDS = {
  budget: words("The policy field, or the name of a budget above keys.", "daily_usd_cap"),
  unit: oneOf(UNITS, "What is counted."),
  window: words("What it counts over.", "utc_day"),
  cap: words("Decimal dollars, or a count.", "500.00"),
  used: words("Settled, held and unresolved together.", "29.99"),
  remaining: words("What is left.", "470.01"),
  reset_at: instantOrNull("When it begins anew, or the first of it is freed; null where it never does."),
};
const CAP_FIELD = words("Which of the budget's caps this is.", "daily_usd_cap");
const KIND = orNull(
  words("Like refund.", "refund"),
  "The one kind of money that it counts; null where it counts every call.",
);

/** One budget of a key. */
export const BudgetAnswer = answerOf<BudgetView>()(Type.Object(FIELDS, { title: "Budget" }));

/** One budget above keys, as it stands beside a key's own. */
export const BudgetAboveAnswer = answerOf<BudgetAboveView>()(
  Type.Object({ ...FIELDS, cap_field: CAP_FIELD, kind: KIND }, { title: "BudgetAbove" }),
);

const SharedBudgetAnswer = answerOf<SharedBudgetView>()(
  Type.Object(
    {
      ...FIELDS,
      cap_field: CAP_FIELD,
      match: Type.Object(
        {
          vendor: orNull(vendorName("Calls to this vendor."), "Calls to this vendor; null for every one."),
          label_prefix: orNull(words("Labels that begin so.", "tenant:*:"), "Labels that begin so; null for all."),
          kind: KIND,
        },
        { description: "Which calls it counts." },
      ),
      member: orNull(words("What stands for the *.", "acme"), "What stands for the * of a family; null of any other."),
    },
    { title: "SharedBudget" },
  ),
);

/** `GET /budgets`. */
export const BudgetsAnswer = Type.Object(
  {
    shared: Type.Array(SharedBudgetAnswer, { description: "Budgets above keys; on the first page alone." }),
    budgets: Type.Array(
      Type.Object(
        {
          key_id: keyId("The key."),
          agent_run_label: labelOrNull,
          vendor: vendorOrNull,
          vendors: vendorList,
          ...FIELDS,
        },
        { title: "KeyBudget" },
      ),
      { description: "The budgets of active keys, the newest key first." },
    ),
    next_cursor: nextCursor,
  },
  { title: "Budgets" },
);
