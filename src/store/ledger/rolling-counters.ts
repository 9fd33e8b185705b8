import { type EpochMs, ROLLING_WINDOWS_MS, type RollingWindow } from "../../core/window.ts";
import { rollingWindowOf } from "../../ledger/budget.ts";
import type { RollingStatements } from "./statements.ts";

/** What a transaction has read of a rolling budget, and what it will leave of it. */
interface RollingUse {
  readonly windowMs: number;
  /** As it is stored, less what has aged. */
  readonly stored: bigint;
  used: bigint;
  /** When the oldest entry counts no more; undefined where there is none. */
  dueAt: EpochMs | undefined;
  /** Set where the stored row is another: something has aged. */
  isStale: boolean;
  /** Corrections of entries, by when they were taken. */
  readonly corrections: Map<EpochMs, bigint>;
}

/**
 * Entries that are looked through for when a refused call will fit. Where they do not suffice the answer is when the last
 * of them has aged: before that it is refused in any case.
 */
const LOOKED_THROUGH_MAX = 10_000;

/** Budgets that one slice of the upkeep brings up to date, and entries that it removes of each. */
const BUDGETS_PER_SLICE = 20;
const ENTRIES_PER_SLICE = 250;

/**
 * The rolling budgets that a batch touches: a running total each, and an entry for every millisecond with calls. What has
 * aged is taken off when a budget is loaded, each entry once, so that no sum is ever taken over a whole window.
 */
export class RollingCounters {
  readonly #statements: RollingStatements;
  readonly #now: EpochMs;
  readonly #uses = new Map<string, RollingUse>();

  /** @param now of the ledger, which never runs backwards. */
  constructor(statements: RollingStatements, now: EpochMs) {
    this.#statements = statements;
    this.#now = now;
  }

  /** What counts at `now`. */
  load(budgetId: string): bigint {
    return this.#use(budgetId).used;
  }

  /** Whether what was taken then counts still, so that a correction of it changes anything. */
  counts(budgetId: string, takenAt: EpochMs): boolean {
    return takenAt > this.#now - this.#use(budgetId).windowMs;
  }

  /** Corrects what was taken at `takenAt`; of what counts no more nothing is left to correct. */
  add(budgetId: string, takenAt: EpochMs, delta: bigint): boolean {
    if (!this.counts(budgetId, takenAt)) return false;
    const { corrections } = this.#use(budgetId);
    corrections.set(takenAt, (corrections.get(takenAt) ?? 0n) + delta);
    return true;
  }

  /** What counts now that the batch has decided: the calls that it admitted are taken now. */
  set(budgetId: string, used: bigint): void {
    this.#use(budgetId).used = used;
  }

  /** When `excess` of what counts has come free, as things are: no more than that counts, this batch included. */
  freeAt(budgetId: string, excess: bigint): EpochMs {
    const use = this.#use(budgetId);
    let free = 0n;
    let last = this.#now;
    const entries = this.#statements.oldest.all(budgetId, LOOKED_THROUGH_MAX);
    for (const { taken_at, amount } of entries) {
      last = Number(taken_at);
      // What this batch takes now is not stored yet, and comes after all that is.
      if (last === this.#now) break;
      free += amount + (use.corrections.get(last) ?? 0n);
      if (free >= excess) return last + use.windowMs;
    }
    return (entries.length < LOOKED_THROUGH_MAX ? this.#now : last) + use.windowMs;
  }

  /** Takes what has aged off the budgets in which something has, a slice of it; the number of entries removed. */
  expire(): number {
    const due = this.#statements.due.all(this.#now, BUDGETS_PER_SLICE);
    let removed = 0;
    for (const { budget_id: budgetId, used } of due) {
      const windowMs = windowMsOf(budgetId);
      const bound = this.#statements.sliceEnd.get(budgetId, ENTRIES_PER_SLICE - 1)?.taken_at;
      const until = Math.min(this.#now - windowMs, bound === undefined ? this.#now : Number(bound));
      const { aged, changes } = this.#removeUntil(budgetId, until);
      this.#write(budgetId, used - aged, this.#dueAt(budgetId, windowMs));
      // A total without entries is none, and would be due for ever.
      removed += Math.max(changes, 1);
    }
    return removed;
  }

  save(): void {
    for (const [budgetId, use] of this.#uses) {
      const { stored, used, corrections, windowMs } = use;
      const corrected = [...corrections.values()].reduce((sum, delta) => sum + delta, 0n);
      const taken = used - stored - corrected;
      if (taken !== 0n) corrections.set(this.#now, (corrections.get(this.#now) ?? 0n) + taken);
      for (const [takenAt, delta] of corrections) {
        this.#writeEntry(budgetId, takenAt, delta);
        // A call that was to cost nothing has no entry until it has cost something; that may be the oldest one.
        if (delta > 0n) use.dueAt = Math.min(use.dueAt ?? takenAt + windowMs, takenAt + windowMs);
      }
      if (use.isStale || used !== stored) this.#write(budgetId, used, use.dueAt);
    }
  }

  #use(budgetId: string): RollingUse {
    const known = this.#uses.get(budgetId);
    if (known) return known;
    const windowMs = windowMsOf(budgetId);
    const row = this.#statements.total.get(budgetId);
    let stored = row?.used ?? 0n;
    let dueAt = row ? Number(row.due_at) : undefined;
    const isStale = dueAt !== undefined && dueAt <= this.#now;
    if (isStale) {
      stored -= this.#removeUntil(budgetId, this.#now - windowMs).aged;
      dueAt = this.#dueAt(budgetId, windowMs);
    }
    const use: RollingUse = { windowMs, stored, used: stored, dueAt, isStale, corrections: new Map() };
    this.#uses.set(budgetId, use);
    return use;
  }

  #removeUntil(budgetId: string, takenAt: EpochMs): { readonly aged: bigint; readonly changes: number } {
    const { amount } = this.#statements.aged.get(budgetId, takenAt)!;
    const { changes } = this.#statements.remove.run(budgetId, takenAt);
    return { aged: amount, changes };
  }

  #dueAt(budgetId: string, windowMs: number): EpochMs | undefined {
    const [oldest] = this.#statements.oldest.all(budgetId, 1);
    return oldest && Number(oldest.taken_at) + windowMs;
  }

  #writeEntry(budgetId: string, takenAt: EpochMs, delta: bigint): void {
    if (delta > 0n) this.#statements.addEntry.run(budgetId, takenAt, delta);
    else if (delta < 0n) this.#statements.correctEntry.run(delta, budgetId, takenAt);
  }

  #write(budgetId: string, used: bigint, dueAt: EpochMs | undefined): void {
    if (dueAt === undefined) this.#statements.forget.run(budgetId);
    else this.#statements.write.run(budgetId, used, dueAt);
  }
}

/** How long an entry of this budget counts, in milliseconds. */
function windowMsOf(budgetId: string): number {
  return ROLLING_WINDOWS_MS[rollingWindowOf(budgetId) as RollingWindow];
}

/** Whether any total has entries that count no more: asked before a transaction that would write nothing. */
export function isAnyDue(statements: RollingStatements, now: EpochMs): boolean {
  return statements.due.get(now, 1) !== null;
}
