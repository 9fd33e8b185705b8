import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "../core/problem.ts";
import type { SharedBudget } from "./budget.ts";
import { BUDGETS_FILE_NAME, readBudgets } from "./budget-file.ts";
import { fileStamp } from "./file-stamp.ts";

/** One version of the file, as far as it is in use. The same object for as long as the file does not change. */
export interface LoadedBudgets {
  readonly budgets: readonly SharedBudget[];
  /** Why the file as it is now is not what is in use, with line and column; undefined where it is. */
  readonly problem: string | undefined;
}

const NONE: readonly SharedBudget[] = [];

/**
 * The budgets of `budgets.yaml` in a policies directory. The file is looked at whenever they are asked for: a changed one is
 * read again, and one that is broken leaves the last good version in use.
 */
export class BudgetSet {
  readonly path: string;
  readonly #vendors: readonly string[];
  #stamp: string | undefined;
  #loaded: LoadedBudgets | undefined;

  /** @param vendors the names of those that there are. */
  constructor(directory: string, vendors: readonly string[]) {
    this.path = join(directory, BUDGETS_FILE_NAME);
    this.#vendors = vendors;
  }

  /**
   * The budgets as the file is now, or its last good version; none where there is no file.
   * @throws Problem `invalid` where the file is broken and no earlier version of it is known: what it was to hold back would
   * go through.
   */
  current(): LoadedBudgets {
    const stamp = fileStamp(this.path);
    if (this.#loaded && stamp === this.#stamp) return this.#loaded;
    const read = stamp === undefined ? { budgets: NONE, problem: undefined } : this.#read();
    // Changed while it was read: half of it may be old. The next look reads it again.
    const settled = fileStamp(this.path) === stamp;
    const problem = settled ? read.problem : `${BUDGETS_FILE_NAME} changed while it was read; try again`;
    const budgets = (problem === undefined ? read.budgets : undefined) ?? this.#loaded?.budgets;
    if (budgets === undefined) {
      throw new Problem("invalid", problem!, "`keybrake policy lint` shows every error; `budgets: []` is none");
    }
    this.#stamp = settled ? stamp : "";
    this.#loaded = { budgets, problem };
    return this.#loaded;
  }

  #read(): { readonly budgets: readonly SharedBudget[] | undefined; readonly problem: string | undefined } {
    try {
      const { budgets, problems } = readBudgets(readFileSync(this.path, "utf8"), this.#vendors);
      const [first, ...more] = problems;
      if (!first) return { budgets, problem: undefined };
      const others = more.length > 0 ? ` (and ${more.length} more)` : "";
      const problem = `${BUDGETS_FILE_NAME}:${first.line}:${first.column}: ${first.message}${others}`;
      return { budgets: undefined, problem };
    } catch (error) {
      return { budgets: undefined, problem: `${BUDGETS_FILE_NAME} cannot be read: ${(error as Error).message}` };
    }
  }
}
