import type { CallFacts } from "../../audit/row.ts";
import { isRead, type Method } from "../../core/call.ts";
import type { CurrencyRates } from "../../core/currency.ts";
import { type EpochMs, isRolling, ROLLING_WINDOWS_MS, windowStart } from "../../core/window.ts";
import { type Budget, keyCounters, rollingWindowOf } from "../../ledger/budget.ts";
import { counterKey, decide } from "../../ledger/decide.ts";
import type { Charge, HoldDecision, HoldRequest, KeyState } from "../../ledger/entry.ts";
import { counterChanges } from "../../ledger/settlement.ts";
import type { CompiledPolicy } from "../../policy/policy.ts";
import type { RecordedRow } from "./recorded-calls.ts";
import { RollingUse } from "./rolling-use.ts";

/** What a call holds until its end is known. */
interface UnderWay {
  readonly endsAt: EpochMs;
  readonly charges: readonly Charge[];
  readonly row: RecordedRow;
}

/** What the flag of a repeat's row begins with; the earlier call's id is behind it. */
const REPLAYS = "replays:";
const DAY_MS = 86_400_000;
const KEYS_REMEMBERED_MAX = 10_000;

/**
 * The ledger's own decision over recorded calls, in the order of time: each key that there was is taken to have had the
 * policy from its first call on. A call holds its exposure until it ended and its cost from then on, as it did.
 */
export class RecordedLedger {
  readonly #policies: ReadonlyMap<string, CompiledPolicy>;
  readonly #rates: CurrencyRates;
  readonly #counters = new Map<string, bigint>();
  /** By the ids of rolling budgets. */
  readonly #rolling = new Map<string, RollingUse>();
  /** By key and vendor. */
  readonly #budgets = new Map<string, readonly Budget[]>();
  /** The next to end stands last. */
  readonly #underWay: UnderWay[] = [];
  #day = 0;

  /** @param policies by vendor: those of one policy, which may count several together. */
  constructor(policies: ReadonlyMap<string, CompiledPolicy>, rates: CurrencyRates) {
    this.#policies = policies;
    this.#rates = rates;
  }

  /** Decides a call whose money is of `kind`, and counts it where it is admitted. */
  hold(row: RecordedRow, kind: string): HoldDecision {
    this.#endUntil(row.calledAt);
    this.#forgetBefore(row.calledAt);
    // A repeat that was answered from the record was no request to the vendor: it counted in nothing.
    if (row.flag?.startsWith(REPLAYS)) return { admitted: true, charges: [], tightest: undefined };
    const budgets = this.#budgetsOf(row);
    const rolling = budgets.filter(({ window }) => isRolling(window));
    const now = row.calledAt;
    for (const { id } of rolling) this.#counters.set(counterKey(id, now), this.#rollingUse(id).at(now));
    const decision = decide(this.#view(row), holdRequest(row, kind, budgets));
    // A rolling counter is another one at every moment: what stays of it are its entries.
    for (const { id } of rolling) this.#counters.delete(counterKey(id, now));
    if (decision.admitted) this.#begin(row, decision.charges);
    return decision;
  }

  /** A later row of a call that was admitted: its resolution, or the price that the vendor told later. */
  correct(row: RecordedRow, kind: string): void {
    const isPrice = row.costSource === "reconciled";
    const budgets = this.#budgetsOf(row).filter(({ unit }) => unit === "usd" || !isPrice);
    const charges = budgets
      .filter((budget) => budget.kind === undefined || budget.kind === kind)
      .map(({ id, unit, window }): Charge => {
        const amount = isPrice ? 0n : chargedBy(row, unit);
        return { budgetId: id, unit, windowStart: windowStart(window, row.calledAt), amount };
      });
    this.#settle(charges, row);
  }

  /** What is used of the counter that was charged. */
  used({ budgetId, windowStart: start }: Charge): bigint {
    if (rollingWindowOf(budgetId)) return this.#rolling.get(budgetId)?.at(start) ?? 0n;
    return this.#counters.get(counterKey(budgetId, start)) ?? 0n;
  }

  #view({ vaultKeyId, calledAt }: RecordedRow) {
    const key: KeyState = {
      id: vaultKeyId,
      version: 1,
      // Keys of a template live as long as it says, and none of the recorded ones was issued by it.
      expiresAt: calledAt + 1,
      revokedAt: null,
      revokeReason: null,
    };
    return {
      now: calledAt,
      keys: new Map([[vaultKeyId, key]]),
      brakes: [],
      vendors: new Map(),
      counters: this.#counters,
      frozen: null,
      records: new Map(),
      objects: new Map(),
    };
  }

  #budgetsOf({ vaultKeyId, vendor }: RecordedRow): readonly Budget[] {
    const name = `${vaultKeyId} ${vendor}`;
    const known = this.#budgets.get(name);
    if (known) return known;
    if (this.#budgets.size >= KEYS_REMEMBERED_MAX) this.#budgets.clear();
    const budgets = keyCounters(vaultKeyId, this.#policies.get(vendor)!, this.#rates);
    this.#budgets.set(name, budgets);
    return budgets;
  }

  #rollingUse(budgetId: string): RollingUse {
    const known = this.#rolling.get(budgetId);
    if (known) return known;
    const use = new RollingUse(ROLLING_WINDOWS_MS[rollingWindowOf(budgetId)!]);
    this.#rolling.set(budgetId, use);
    return use;
  }

  #begin(row: RecordedRow, charges: readonly Charge[]): void {
    for (const { budgetId, windowStart: at, amount } of charges) {
      if (rollingWindowOf(budgetId)) this.#rollingUse(budgetId).add(at, amount);
    }
    if (row.finishedAt === null || row.state === "held" || row.state === "unresolved") return;
    const call = { endsAt: row.finishedAt, charges, row };
    let place = this.#underWay.length;
    while (place > 0 && this.#underWay[place - 1]!.endsAt < call.endsAt) place--;
    this.#underWay.splice(place, 0, call);
  }

  #endUntil(now: EpochMs): void {
    for (let next = this.#underWay.at(-1); next && next.endsAt <= now; next = this.#underWay.at(-1)) {
      this.#underWay.pop();
      this.#settle(next.charges, next.row);
    }
  }

  #settle(charges: readonly Charge[], { state, costMicros }: RecordedRow): void {
    const to = state === "released" ? "released" : "settled";
    for (const change of counterChanges(charges, to, costMicros ?? 0n)) {
      if (rollingWindowOf(change.budgetId)) {
        this.#rolling.get(change.budgetId)?.correct(change.windowStart, change.delta);
        continue;
      }
      const counter = counterKey(change.budgetId, change.windowStart);
      const used = this.#counters.get(counter);
      // A window that is over and forgotten decides nothing any more.
      if (used !== undefined) this.#counters.set(counter, used + change.delta);
    }
  }

  /** Windows that ended before yesterday can decide nothing: with a million keys they would fill the memory. */
  #forgetBefore(now: EpochMs): void {
    const day = windowStart("utc_day", now);
    if (day <= this.#day) return;
    this.#day = day;
    for (const counter of this.#counters.keys()) {
      const start = Number(counter.slice(0, counter.indexOf("|")));
      if (start !== 0 && start < day - DAY_MS) this.#counters.delete(counter);
    }
    for (const [id, use] of this.#rolling) {
      use.at(now);
      if (use.isEmpty) this.#rolling.delete(id);
    }
  }
}

/** What the hold of a recorded call took of a budget that counts in `unit`. */
function chargedBy({ exposureMicros, sends, method }: RecordedRow, unit: Charge["unit"]): bigint {
  if (unit === "usd") return exposureMicros;
  if (unit === "sends") return sends;
  return unit === "writes" && isRead(method as Method) ? 0n : 1n;
}

function holdRequest(row: RecordedRow, kind: string, budgets: readonly Budget[]): HoldRequest {
  // `decide` reads these four of the facts; the rest is for the audit row, and none is written.
  const { vaultKeyId, vendor, agentRunLabel, method } = row;
  return {
    type: "hold",
    facts: { vaultKeyId, vendor, agentRunLabel, method } as CallFacts,
    keyVersion: 1,
    vendorVersion: 0,
    refusal: undefined,
    rule: row.verdictRule,
    exposureMicros: row.exposureMicros,
    sends: Number(row.sends),
    kind,
    budgets,
    owner: "replay",
  };
}
