import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "../core/problem.ts";
import type { Position } from "../core/yaml-data.ts";
import type { SharedBudget } from "./budget.ts";
import { BUDGETS_FILE_NAME } from "./budget-file.ts";
import { type BudgetsRead, budgetsRead } from "./budget-reading.ts";
import { fileStamp } from "./file-stamp.ts";
import type { ReadBeside } from "./read-beside.ts";

/** One version of the file, as far as it is in use. The same object for as long as the file does not change. */
export interface LoadedBudgets {
  readonly budgets: readonly SharedBudget[];
  /** Where each cap stands, by its rule (`budgets.platform.daily_usd_cap`). */
  readonly places: ReadonlyMap<string, Position>;
  /** Why the file as it is now is not what is in use, with line and column; undefined where it is. */
  readonly problem: string | undefined;
}

const NONE: BudgetsRead = { budgets: [], problem: undefined, places: new Map() };

/** About two hundred budgets, a hundredth of a second: a change of such a file holds from the next call on. */
const READ_AT_ONCE_BYTES_MAX = 16 * 1024;

/**
 * The budgets of `budgets.yaml` in a policies directory. The file is looked at whenever they are asked for: a changed one is
 * read again, and one that is broken leaves the last good version in use.
 */
export class BudgetSet {
  readonly path: string;
  readonly #vendors: readonly string[];
  #stamp: string | undefined;
  #loaded: LoadedBudgets | undefined;
  #beside: ReadBeside | undefined;
  /** The version that is being read beside the calls. */
  #readingStamp: string | undefined;

  /** @param vendors the names of those that there are. */
  constructor(directory: string, vendors: readonly string[]) {
    this.path = join(directory, BUDGETS_FILE_NAME);
    this.#vendors = vendors;
  }

  /** From now on a long file that has changed is read by `read`, and what was in use stays so until that is done. */
  readBeside(read: ReadBeside): void {
    this.#beside = read;
  }

  /**
   * The budgets as the file is now, or its last good version; none where there is no file.
   * @throws Problem `invalid` where the file is broken and no earlier version of it is known: what it was to hold back would
   * go through.
   */
  current(): LoadedBudgets {
    // Most installations have no such file, and every call asks: whether it is there costs a tenth of how it is.
    if (this.#loaded && this.#stamp === undefined && !existsSync(this.path)) return this.#loaded;
    const stamp = fileStamp(this.path);
    if (this.#loaded && stamp === this.#stamp) return this.#loaded;
    if (this.#loaded && this.#beside && stamp !== undefined && this.#isLong()) {
      if (stamp === this.#readingStamp) return this.#loaded;
      void this.#readBeside(stamp, this.#beside);
      return this.#loaded;
    }
    this.#readingStamp = undefined;
    return this.#take(stamp, stamp === undefined ? NONE : this.#read(budgetsRead));
  }

  async #readBeside(stamp: string, beside: ReadBeside): Promise<void> {
    this.#readingStamp = stamp;
    const read = await this.#read(beside);
    // Changed again meanwhile: whoever saw that has begun to read the newer one.
    if (this.#readingStamp !== stamp) return;
    this.#readingStamp = undefined;
    this.#take(stamp, read);
  }

  /** @param stamp of the file before it was read. */
  #take(stamp: string | undefined, read: BudgetsRead): LoadedBudgets {
    // Changed while it was read: half of it may be old. The next look reads it again.
    const settled = fileStamp(this.path) === stamp;
    const problem = settled ? read.problem : `${BUDGETS_FILE_NAME} changed while it was read; try again`;
    const good = problem === undefined && read.budgets ? { budgets: read.budgets, places: read.places } : this.#loaded;
    if (good === undefined) {
      throw new Problem("invalid", problem!, "`keybrake policy lint` shows every error; `budgets: []` is none");
    }
    this.#stamp = settled ? stamp : "";
    this.#loaded = { budgets: good.budgets, places: good.places, problem };
    return this.#loaded;
  }

  #isLong(): boolean {
    try {
      return statSync(this.path).size > READ_AT_ONCE_BYTES_MAX;
    } catch {
      return false; // reading it says why
    }
  }

  #read<Result extends BudgetsRead | Promise<BudgetsRead>>(
    read: (asked: { readonly text: string; readonly vendors: readonly string[] }) => Result,
  ): Result | BudgetsRead {
    try {
      return read({ text: readFileSync(this.path, "utf8"), vendors: this.#vendors });
    } catch (error) {
      return {
        ...NONE,
        budgets: undefined,
        problem: `${BUDGETS_FILE_NAME} cannot be read: ${(error as Error).message}`,
      };
    }
  }
}
