import { isRead, type Method } from "../core/call.ts";
import type { RefusalCode } from "../core/verdict.ts";
import { precedes } from "../core/verdict.ts";
import { type EpochMs, isRolling, windowReset, windowStart } from "../core/window.ts";
import { type Budget, isCapped } from "./budget.ts";
import type { Brake, BudgetUse, Charge, HoldDecision, HoldRequest, KeyState } from "./entry.ts";
import { decideObject, takeObject, type VendorObjects } from "./object.ts";
import { decideRepeat, type RecordedCalls, recordCall } from "./repeat.ts";

/** What the ledger holds at the start of a batch, as far as the batch touches it. */
export interface LedgerView {
  readonly now: EpochMs;
  readonly keys: ReadonlyMap<string, KeyState>;
  readonly brakes: readonly Brake[];
  /** Version of each vendor's settings. */
  readonly vendors: ReadonlyMap<string, number>;
  /** Used amount by `counterKey`; one that is missing is zero. Of a rolling budget, what counts at `now`. */
  readonly counters: Map<string, bigint>;
  /**
   * When `excess` of what counts on a rolling budget will have come free, as things are; undefined where no more than that
   * counts. Asked on a refusal only, as it reads what makes up the sum.
   */
  readonly freeAt?: (budget: Budget, excess: bigint) => EpochMs | undefined;
  /** What became of calls that this batch may repeat. */
  readonly records: RecordedCalls;
  /** The vendors' objects that this batch's calls rely on or change. */
  readonly objects: VendorObjects;
  /** Why nothing may be spent, for people; null where nothing stands against it. */
  readonly frozen: string | null;
}

/** The name of a budget's counter in the window that began at `start`. */
export function counterKey(budgetId: string, start: EpochMs): string {
  return `${start}|${budgetId}`;
}

/** What stands against any call of a key, whatever it asks for: asked before a look-up, and again by `decide`. */
export function standingRefusal(
  { key, brakes, frozen, now }: Pick<LedgerView, "brakes" | "frozen" | "now"> & { readonly key: KeyState | undefined },
  call: Pick<HoldRequest, "facts">,
): Stop | undefined {
  if (!key) return { code: "key_unknown", rule: "key", reason: null };
  return keyRefusal(key, now) ?? frozenRefusal(frozen) ?? brakeRefusal(brakes, call);
}

/**
 * The ledger's one decision: may this call go out, given what has been decided before it? Pure; called for the calls of
 * a batch in their order. An admitted call's amounts are added to `view.counters`, so that the next one sees them.
 */
export function decide(view: LedgerView, call: HoldRequest): HoldDecision {
  const key = view.keys.get(call.facts.vaultKeyId);
  if (!key) return refuse("key_unknown", "key", undefined, null);
  const vendorVersion = view.vendors.get(call.facts.vendor) ?? 0;
  if (key.version !== call.keyVersion || vendorVersion !== call.vendorVersion)
    return { admitted: false, code: "stale" };
  const stop = standingRefusal({ key, brakes: view.brakes, frozen: view.frozen, now: view.now }, call);
  if (stop && !(call.refusal && precedes(call.refusal.code, stop.code))) {
    return refuse(stop.code, stop.rule, undefined, stop.reason);
  }
  if (call.refusal) {
    const first = tightest(view, call);
    return refuse(call.refusal.code, call.refusal.rule, first && budgetUse(view, first), null);
  }
  const repeated = call.repeat && decideRepeat(view.records, key.id, call.repeat, view.now);
  if (repeated) return resumed(view, call, repeated);
  if (call.repeatOnly) return { admitted: false, code: "stale" };
  const busy = call.object && decideObject(view.objects, call.object);
  if (busy) return busy;
  const full = overRate(view, call) ?? call.budgets.find((budget) => overflows(view, budget, call));
  if (full) return refuseFull(view, full, call);
  const first = tightest(view, call);
  const ordered = first ? [first, ...call.budgets.filter((budget) => budget !== first)] : call.budgets;
  const charges = ordered
    .filter((budget) => isConcerned(budget, call))
    .map((budget) => charge(view, budget, amountFor(budget, call)));
  if (call.repeat) record(view, call, { heldBy: call.facts.id, vendorKey: call.repeat.vendorKey });
  if (call.object) takeObject(view.objects, call.object.name, call.facts.id);
  return { admitted: true, charges, tightest: first && budgetUse(view, first) };
}

/** While a repeat is on its way to find out what became of the first call, others wait for it. */
function resumed(view: LedgerView, call: HoldRequest, repeated: HoldDecision): HoldDecision {
  if (!repeated.admitted || !repeated.resumes) return repeated;
  const { callId: heldBy, vendorKey } = repeated.resumes;
  const full = overRate(view, call);
  if (full) return refuseFull(view, full, call);
  record(view, call, { heldBy, vendorKey });
  const first = tightest(view, call);
  // Nothing is held, but should the first call be off the books by then, what it did cost is counted here. It is one more
  // request all the same.
  const charges = call.budgets
    .filter((one) => one.unit === "requests" || (one.unit === "usd" && isOfKind(one, call)))
    .map((budget) => charge(view, budget, budget.unit === "requests" ? 1n : 0n));
  return { ...repeated, charges, tightest: first && budgetUse(view, first) };
}

function record(view: LedgerView, call: HoldRequest, held: { heldBy: string; vendorKey: string | null }): void {
  recordCall(view.records, call.facts.vaultKeyId, call.repeat!, { callId: call.facts.id, ...held }, view.now);
}

export interface Stop {
  readonly code: RefusalCode;
  readonly rule: string;
  readonly reason: string | null;
}

function keyRefusal(key: KeyState, now: EpochMs): Stop | undefined {
  if (key.revokedAt !== null) return { code: "key_revoked", rule: revokedRule(key), reason: key.revokeReason };
  if (key.expiresAt <= now) return { code: "key_expired", rule: "expires_in", reason: null };
  return undefined;
}

function revokedRule({ revokedBy }: KeyState): string {
  return revokedBy ? `auto_revoke.${revokedBy}` : "revoked";
}

/** After a restore nobody knows what was spent since the backup, until an operator has looked. */
function frozenRefusal(frozen: string | null): Stop | undefined {
  return frozen === null ? undefined : { code: "store_unavailable", rule: "frozen", reason: frozen };
}

function brakeRefusal(brakes: readonly Brake[], call: Pick<HoldRequest, "facts">): Stop | undefined {
  for (const brake of brakes) {
    const sameVendor = brake.vendor === null || brake.vendor === call.facts.vendor;
    const sameLabel = brake.labelPrefix === null || (call.facts.agentRunLabel ?? "").startsWith(brake.labelPrefix);
    if (sameVendor && sameLabel) return { code: "brake_engaged", rule: `brake ${brake.id}`, reason: brake.reason };
  }
  return undefined;
}

/** A cap of another kind of money neither counts the call nor stands in its way. */
function isOfKind({ kind }: Budget, call: HoldRequest): boolean {
  return kind === undefined || kind === call.kind;
}

/** The first rate that this call is too much for: it answers before the caps, as `VERDICTS` has it. */
function overRate(view: LedgerView, call: HoldRequest): Budget | undefined {
  return call.budgets.find((budget) => budget.unit === "requests" && overflows(view, budget, call));
}

function refuseFull(view: LedgerView, full: Budget, call: HoldRequest): HoldDecision {
  const use = budgetUse(view, full);
  const excess = use.used + amountFor(full, call) - full.cap;
  const resetAt = isRolling(full.window) ? view.freeAt?.(full, excess) : use.resetAt;
  const rule = full.rule ?? full.name;
  if (full.unit !== "requests") return refuse("cap_exceeded", rule, { ...use, resetAt }, null);
  const retry = resetAt === undefined ? {} : { retryAfterMs: resetAt - view.now };
  return refuse("rate_exceeded", rule, { ...use, resetAt, ...retry }, null);
}

/**
 * Sends that nobody caps and a call does not make are neither read nor written for it. Dollars always are: a call that was
 * to cost nothing may turn out to have cost something.
 */
export function isConcerned(budget: Budget, call: HoldRequest): boolean {
  if (!isOfKind(budget, call)) return false;
  if (budget.unit === "usd") return true;
  return (budget.unit === "sends" && isCapped(budget)) || amountFor(budget, call) > 0n;
}

function amountFor(budget: Budget, call: HoldRequest): bigint {
  switch (budget.unit) {
    case "usd":
      return call.exposureMicros;
    case "sends":
      return BigInt(call.sends);
    case "writes":
      return isRead(call.facts.method as Method) ? 0n : 1n;
    case "requests":
      return 1n;
  }
}

/** A call that asks for nothing passes a full budget: reading on is not spending. */
function overflows(view: LedgerView, budget: Budget, call: HoldRequest): boolean {
  const amount = amountFor(budget, call);
  return amount > 0n && isOfKind(budget, call) && used(view, budget) + amount > budget.cap;
}

function charge(view: LedgerView, budget: Budget, amount: bigint): Charge {
  const start = windowStart(budget.window, view.now);
  view.counters.set(counterKey(budget.id, start), used(view, budget) + amount);
  return { budgetId: budget.id, windowStart: start, unit: budget.unit, amount };
}

function used(view: LedgerView, budget: Budget): bigint {
  return view.counters.get(counterKey(budget.id, windowStart(budget.window, view.now))) ?? 0n;
}

function budgetUse(view: LedgerView, budget: Budget): BudgetUse {
  const { name, unit, cap, window, lacksRateOf } = budget;
  const resetAt = windowReset(window, windowStart(window, view.now));
  const use = { name, unit, cap, used: used(view, budget), resetAt };
  return lacksRateOf === undefined ? use : { ...use, lacksRateOf };
}

/** The dollar budget with the least left. One call costs all of them the same, so it stays the tightest after it. */
function tightest(view: LedgerView, call: HoldRequest): Budget | undefined {
  let least: { readonly budget: Budget; readonly left: bigint } | undefined;
  for (const budget of call.budgets) {
    if (budget.unit !== "usd" || !isCapped(budget) || !isOfKind(budget, call)) continue;
    const left = budget.cap - used(view, budget);
    if (!least || left < least.left) least = { budget, left };
  }
  return least?.budget;
}

function refuse(code: RefusalCode, rule: string, budget: BudgetUse | undefined, reason: string | null): HoldDecision {
  return { admitted: false, code, rule, budget, reason };
}
