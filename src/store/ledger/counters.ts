import type { EpochMs } from "../../core/window.ts";
import { rollingWindowOf } from "../../ledger/budget.ts";
import { counterKey } from "../../ledger/decide.ts";
import type { Charge } from "../../ledger/entry.ts";
import { RollingCounters } from "./rolling-counters.ts";
import type { CounterStatements, LedgerStatements } from "./statements.ts";

/**
 * The counters that a batch touches: read once, changed in memory, written once. What counts on a rolling budget stands
 * under the moment of the batch, whenever it was taken.
 */
export class Counters extends Map<string, bigint> {
  readonly #stored = new Map<string, bigint>();
  /** The rolling budgets that were loaded, by the key that they stand under. */
  readonly #rollingIds = new Map<string, string>();
  readonly rolling: RollingCounters;
  readonly #now: EpochMs;
  readonly #statements: CounterStatements;

  constructor({ counters, rolling }: LedgerStatements, now: EpochMs) {
    super();
    this.#now = now;
    this.#statements = counters;
    this.rolling = new RollingCounters(rolling, now);
  }

  /** The key under which it stands. */
  load(budgetId: string, start: EpochMs): string {
    const isRolling = rollingWindowOf(budgetId) !== undefined;
    const key = counterKey(budgetId, isRolling ? this.#now : start);
    if (this.#stored.has(key)) return key;
    const used = isRolling ? this.rolling.load(budgetId) : (this.#statements.read.get(budgetId, start)?.used ?? 0n);
    if (isRolling) this.#rollingIds.set(key, budgetId);
    this.#stored.set(key, used);
    this.set(key, used);
    return key;
  }

  /** @param start of the window, or when it was taken: what counts no more is left as it is. */
  add(budgetId: string, start: EpochMs, delta: bigint): void {
    const key = this.load(budgetId, start);
    if (this.#rollingIds.has(key) && !this.rolling.add(budgetId, start, delta)) return;
    this.set(key, this.get(key)! + delta);
  }

  used({ budgetId, windowStart }: Charge): bigint {
    return this.get(this.load(budgetId, windowStart))!;
  }

  /** Whether the charge still counts: one on a rolling budget ages. */
  counts({ budgetId, windowStart }: Charge): boolean {
    return !this.#rollingIds.has(this.load(budgetId, windowStart)) || this.rolling.counts(budgetId, windowStart);
  }

  /** As `LedgerView.freeAt`. */
  freeAt(budgetId: string, excess: bigint): EpochMs | undefined {
    const used = this.get(this.load(budgetId, this.#now))!;
    return excess > used ? undefined : this.rolling.freeAt(budgetId, excess);
  }

  save(): void {
    for (const [key, used] of this) {
      if (used === this.#stored.get(key) || this.#rollingIds.has(key)) continue;
      const bar = key.indexOf("|");
      this.#statements.write.run(key.slice(bar + 1), Number(key.slice(0, bar)), used);
    }
    if (this.#rollingIds.size === 0) return;
    for (const [key, budgetId] of this.#rollingIds) this.rolling.set(budgetId, this.get(key)!);
    this.rolling.save();
  }
}
