import { BUDGET_BUGS } from "./mutations/budgets.ts";
import { END_BUGS } from "./mutations/ends.ts";
import type { Mutation } from "./mutations/mutation.ts";
import { ROW_BUGS } from "./mutations/rows.ts";
import { STOP_BUGS } from "./mutations/stops.ts";

/** A bug of every kind that the invariants speak of. Invariant 7 has its own. */
export const MUTATIONS: readonly Mutation[] = [...BUDGET_BUGS, ...STOP_BUGS, ...END_BUGS, ...ROW_BUGS];
