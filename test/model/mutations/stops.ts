import type { HoldRequest } from "../../../src/ledger/entry.ts";
import { type Apply, applied, type Mutation } from "./mutation.ts";

/** Revokes, brakes and the clock. */
export const STOP_BUGS: readonly Mutation[] = [
  {
    bug: "returns from a revoke that the next batch does not see yet",
    breaks: 6,
    mutate: (store) => {
      let late: (() => Promise<unknown>) | undefined;
      return {
        ...store,
        revokeKeys: async (...revoke) => {
          late = () => store.revokeKeys(...revoke);
          return [];
        },
        apply: async (batch, now) => {
          const results = await store.apply(batch, now);
          await late?.();
          late = undefined;
          return results;
        },
      };
    },
  },
  {
    bug: "ignores a revoke",
    breaks: 6,
    inPipeline: true,
    mutate: (store) => ({ ...store, revokeKeys: async () => [] }),
  },
  { bug: "ignores a brake", breaks: 8, mutate: (store) => ({ ...store, engageBrake: async () => {} }) },
  {
    bug: "keeps a brake that was released",
    breaks: 8,
    mutate: (store) => ({ ...store, releaseBrake: async () => [] }),
  },
  {
    bug: "misses the revoke of a key that was changed before",
    breaks: 6,
    mutate: (store) => ({
      ...store,
      revokeKeys: async (selector, reason, now) => {
        const key = await store.getKey(selector.ids![0]!);
        return key!.version > 1 ? [] : store.revokeKeys(selector, reason, now);
      },
    }),
  },
  { bug: "gives a day its cap anew when the clock is set back", breaks: 8, mutate: applied(backwards) },
  {
    bug: "has a clock that stands still",
    breaks: 8,
    mutate: (store) => {
      let first: number | undefined;
      return {
        ...store,
        apply: (batch, now) => {
          first ??= now;
          return store.apply(batch, first);
        },
      };
    },
  },
];

/** The windows of the day follow a wall clock that was set back: what was spent on the later day is forgotten. */
function backwards(apply: Apply): Apply {
  let latest = 0;
  return async (batch, now) => {
    const day = now - (now % 86_400_000);
    if (day >= latest) {
      latest = day;
      return apply(batch, now);
    }
    const mark = `@${day}`;
    const budgetsOf = (entry: HoldRequest) =>
      entry.budgets.map((budget) =>
        budget.window === "utc_day" ? { ...budget, id: budget.id + mark, window: "lifetime" as const } : budget,
      );
    const results = await apply(
      batch.map((entry) => (entry.type === "hold" ? { ...entry, budgets: budgetsOf(entry) } : entry)),
      now,
    );
    return results.map((result) => {
      if (!("admitted" in result) || !result.admitted) return result;
      const charges = result.charges.map((charge) =>
        charge.budgetId.endsWith(mark)
          ? { ...charge, budgetId: charge.budgetId.slice(0, -mark.length), windowStart: day }
          : charge,
      );
      return { ...result, charges };
    });
  };
}
