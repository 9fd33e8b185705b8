import { Elysia } from "elysia";
import { KEYS_PER_PAGE, KEYS_PER_PAGE_MAX } from "../operate/keys.ts";
import { BudgetsAnswer } from "./answers/budgets.ts";
import { described } from "./described.ts";
import { count, given, limitOf, parameter, query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

/** What may still be spent. */
export function budgetController({ control, gate }: ApiSetting) {
  return new Elysia(ELYSIA).get(
    "/budgets",
    async ({ query: asked, request }) => {
      const { label_contains, vendor, cursor } = asked;
      const limit = limitOf(asked.limit, KEYS_PER_PAGE, KEYS_PER_PAGE_MAX);
      const filter = { active: true, limit, ...given({ label_contains, vendor, cursor }) };
      const actor = gate.actorOf(request);
      const { keys, next_cursor } = await control.listKeys(filter, actor);
      // They stand on the first page alone: a cursor is one of the keys.
      const shared =
        cursor === undefined ? await control.listSharedBudgets(given({ label_contains, vendor }), actor) : [];
      const budgets = keys.flatMap((key) =>
        key.spend.budgets.map((budget) => ({
          key_id: key.id,
          agent_run_label: key.agent_run_label,
          vendor: key.vendor,
          vendors: key.vendors,
          ...budget,
        })),
      );
      return { shared, budgets, next_cursor };
    },
    {
      query: query({
        label_contains: parameter("Keys with this in their run label."),
        vendor: parameter("Keys for this vendor."),
        cursor: parameter("next_cursor of the page before."),
        limit: count(`Keys on a page; ${KEYS_PER_PAGE} where it is not given, ${KEYS_PER_PAGE_MAX} at most.`),
      }),
      detail: described({
        id: "listBudgets",
        summary: "The budgets above keys (shared) and of active keys: cap, used, remaining, reset time",
        tag: "Spend",
        answer: BudgetsAnswer,
      }),
    },
  );
}
