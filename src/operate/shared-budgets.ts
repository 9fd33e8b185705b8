import { type EpochMs, windowStart } from "../core/window.ts";
import type { Budget } from "../ledger/budget.ts";
import { memberOf, SHARED_PREFIX, sharedCaps } from "../ledger/shared-budgets.ts";
import type { SharedBudget } from "../policy/budget.ts";
import type { CounterUse } from "../store/counter-reads.ts";
import type { SharedBudgetsRequest, SharedBudgetView } from "./budget-verbs.ts";
import type { Actor } from "./control-plane.ts";
import { budgetView } from "./key-view.ts";
import type { ControlPlaneOptions } from "./options.ts";

/** Budgets above keys tell what others spend: an issuer, who sees the keys that it issued, is shown none. */
export async function listSharedBudgets(
  { budgets, store, clock, config }: ControlPlaneOptions,
  filter: SharedBudgetsRequest,
  actor: Actor,
): Promise<readonly SharedBudgetView[]> {
  if (actor.role === "issuer") return [];
  const now = clock.now();
  const listed = budgets.current().budgets.filter((budget) => isWanted(budget, filter));
  if (listed.length === 0) return [];
  const starts = [windowStart("lifetime", now), windowStart("utc_day", now)];
  const counters = await store.countersUnder(SHARED_PREFIX, starts);
  const used = new Map(counters.map((counter) => [counterName(counter), counter.used]));
  const members = membersByBudget(counters);
  return listed.flatMap((budget) =>
    membersOf(budget, members, filter).flatMap((member) =>
      sharedCaps(budget, member ?? undefined, config.currencyRates).map((cap) =>
        view(budget, member, cap, used.get(counterName(countedNow(cap, now))) ?? 0n, now),
      ),
    ),
  );
}

function isWanted({ match }: SharedBudget, { vendor, label_contains }: SharedBudgetsRequest): boolean {
  if (vendor !== undefined && match.vendor !== undefined && match.vendor !== vendor) return false;
  return label_contains === undefined || match.labelPrefix !== undefined;
}

/** The members of every family that have been used in these windows, each once, sorted. */
function membersByBudget(counters: readonly CounterUse[]): ReadonlyMap<string, readonly string[]> {
  const members = new Map<string, Set<string>>();
  for (const { budgetId } of counters) {
    const name = budgetId.split(":")[1]!;
    const member = memberOf(budgetId, name);
    if (member === undefined) continue;
    const known = members.get(name) ?? new Set();
    members.set(name, known.add(member));
  }
  return new Map([...members].map(([name, known]) => [name, [...known].sort()]));
}

/** The members to show of a budget; null stands for the budget itself, also of a family that nobody has used. */
function membersOf(
  { name, match }: SharedBudget,
  members: ReadonlyMap<string, readonly string[]>,
  { label_contains: text }: SharedBudgetsRequest,
): readonly (string | null)[] {
  const prefix = match.labelPrefix;
  const isFamily = prefix?.tail !== undefined;
  const all = (isFamily && members.get(name)) || [null];
  if (text === undefined) return all;
  return all.filter((member) => (member === null ? prefix!.text : prefix!.head + member + prefix!.tail).includes(text));
}

function countedNow({ id, window }: Budget, now: EpochMs): Omit<CounterUse, "used"> {
  return { budgetId: id, windowStart: windowStart(window, now) };
}

function counterName({ budgetId, windowStart: start }: Omit<CounterUse, "used">): string {
  return `${start}|${budgetId}`;
}

function view(
  { match }: SharedBudget,
  member: string | null,
  cap: Budget,
  used: bigint,
  now: EpochMs,
): SharedBudgetView {
  const { vendor = null, labelPrefix, kind = null } = match;
  return {
    ...budgetView(cap, { used }, now),
    cap_field: cap.id.slice(cap.id.lastIndexOf(":") + 1),
    match: { vendor, label_prefix: labelPrefix?.text ?? null, kind },
    member,
  };
}
