import { type EpochMs, windowStart } from "../../core/window.ts";
import { rollingWindowOf } from "../../ledger/budget.ts";
import { isConcerned } from "../../ledger/decide.ts";
import type { HoldRequest, LedgerEntry, ResolveRequest } from "../../ledger/entry.ts";
import type { OpenCall } from "../ledger/open-call.ts";
import { CIRCUMSTANCES, COUNTER, KEY, OBJECT, OPEN_BATCH, RECORD, ROLLING_TOTAL } from "./ledger-statements.ts";
import type { Argument, Ask, PgStatement } from "./rehearsal.ts";

/**
 * All that a batch will surely read, so that it is asked in one go. What is missing here is asked when the step comes to
 * it, which costs another way to the database and nothing else.
 * @param now of the database as it was known last: the day may have changed since.
 */
export function asksOf(entries: readonly LedgerEntry[], now: EpochMs): readonly Ask[] {
  const asks = new Asks();
  for (const entry of entries) {
    if (entry.type === "hold") addHold(asks, entry, now);
    else addResolution(asks, entry);
  }
  return [{ statement: CIRCUMSTANCES, args: [] }, ...asks.all()];
}

function addHold(asks: Asks, entry: HoldRequest, now: EpochMs): void {
  const { vaultKeyId } = entry.facts;
  asks.add(KEY, vaultKeyId);
  for (const budget of entry.budgets) {
    if (isConcerned(budget, entry)) asks.addCounter(budget.id, windowStart(budget.window, now));
  }
  for (const { name } of entry.repeat?.slots ?? []) asks.add(RECORD, vaultKeyId, name);
  if (entry.object) asks.add(OBJECT, entry.object.name);
}

function addResolution(asks: Asks, { callId, receipt, object, remembers, repeat }: ResolveRequest): void {
  const held = receipt?.held as OpenCall | undefined;
  if (!held) asks.add(OPEN_BATCH, callId);
  else for (const { name } of repeat?.slots ?? []) asks.add(RECORD, held.facts.vaultKeyId, name);
  for (const { budgetId, windowStart: start } of receipt?.charges ?? []) asks.addCounter(budgetId, start);
  if (object !== undefined) asks.add(OBJECT, object);
  if (remembers) asks.add(OBJECT, remembers.name);
}

/** Each thing once. */
class Asks {
  readonly #asks = new Map<string, Ask>();

  add(statement: PgStatement, ...args: readonly Argument[]): void {
    this.#asks.set(`${statement.reads!.join()} ${args.join(" ")}`, { statement, args });
  }

  addCounter(budgetId: string, start: EpochMs): void {
    if (rollingWindowOf(budgetId) === undefined) this.add(COUNTER, budgetId, start);
    else this.add(ROLLING_TOTAL, budgetId);
  }

  all(): readonly Ask[] {
    return [...this.#asks.values()];
  }
}
