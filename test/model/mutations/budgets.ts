import { isCapped } from "../../../src/ledger/budget.ts";
import type { LedgerEntry } from "../../../src/ledger/entry.ts";
import { budgets, entries, type Mutation } from "./mutation.ts";

/** Caps that are forgotten, widened, or counted in the wrong window. */
export const BUDGET_BUGS: readonly Mutation[] = [
  {
    bug: "forgets the cap of the day",
    breaks: 1,
    inPipeline: true,
    mutate: entries({
      hold: (entry) => ({ ...entry, budgets: entry.budgets.filter(({ name }) => name !== "daily_usd_cap") }),
    }),
  },
  {
    bug: "forgets the cap over the key's whole life",
    breaks: 1,
    mutate: entries({
      hold: (entry) => ({ ...entry, budgets: entry.budgets.filter(({ name }) => name !== "total_usd_cap") }),
    }),
  },
  {
    bug: "forgets the cap on sends",
    breaks: 1,
    mutate: entries({ hold: (entry) => ({ ...entry, budgets: entry.budgets.filter(({ unit }) => unit === "usd") }) }),
  },
  {
    bug: "forgets the cap of one kind of money",
    breaks: 1,
    mutate: entries({ hold: (entry) => ({ ...entry, budgets: entry.budgets.filter(({ kind }) => !kind) }) }),
  },
  {
    bug: "counts every call to the cap of one kind of money",
    breaks: 8,
    mutate: budgets(({ kind: _, ...budget }) => budget),
  },
  {
    bug: "takes a refund for a charge",
    breaks: 1,
    mutate: entries({ hold: (entry) => ({ ...entry, kind: "charge" }) }),
  },
  {
    bug: "counts only what is capped, so that a cap which is added later starts at nothing",
    breaks: 4,
    mutate: entries({ hold: (entry) => ({ ...entry, budgets: entry.budgets.filter(isCapped) }) }),
  },
  {
    bug: "lets the last micro-dollar be spent twice",
    breaks: 1,
    mutate: budgets((budget) => ({ ...budget, cap: budget.cap + 1n })),
  },
  {
    bug: "refuses what fits exactly",
    breaks: 8,
    mutate: budgets((budget) => (budget.cap > 0n ? { ...budget, cap: budget.cap - 1n } : budget)),
  },
  {
    bug: "counts a daily cap for ever",
    breaks: 8,
    mutate: budgets((budget) => ({ ...budget, window: "lifetime" })),
  },
  {
    bug: "begins the cap over the whole life anew each day",
    breaks: 4,
    mutate: budgets((budget) => ({ ...budget, window: "utc_day" })),
  },
  {
    bug: "holds what is left of the cap instead of refusing",
    breaks: 1,
    mutate: entries({
      hold: (entry) => ({ ...entry, exposureMicros: entry.exposureMicros > 9n ? 9n : entry.exposureMicros }),
    }),
  },
  {
    bug: "judges by the policy that was in force when the process first saw the key",
    breaks: 8,
    mutate: (store) => ({
      ...store,
      apply: async (batch, now) => {
        const fresh = async (entry: LedgerEntry) => {
          const key = entry.type === "hold" ? await store.getKey(entry.facts.vaultKeyId) : undefined;
          return key ? { ...entry, keyVersion: key.version } : entry;
        };
        return store.apply(await Promise.all(batch.map(fresh)), now);
      },
    }),
  },
];
