import { formatUsd, type Micros } from "../core/money.ts";
import type { SpendGroup, SpendSums } from "../store/spend.ts";
import type { SpendBy } from "./spend-by.ts";
import type { SpendRowView, SpendSumsView } from "./spend-verbs.ts";

/** Groups of the store under the name that a report gives them: what is one row, or with a split one row a vendor. */
export interface NamedGroup extends SpendSums {
  readonly name: string | null;
  readonly byVendor: readonly (SpendSums & { readonly vendor: string | null })[];
}

const NOTHING: SpendSums = { calls: 0, refused: 0, settledMicros: 0n, heldMicros: 0n, unresolvedMicros: 0n };

export function added(a: SpendSums, b: SpendSums): SpendSums {
  return {
    calls: a.calls + b.calls,
    refused: a.refused + b.refused,
    settledMicros: a.settledMicros + b.settledMicros,
    heldMicros: a.heldMicros + b.heldMicros,
    unresolvedMicros: a.unresolvedMicros + b.unresolvedMicros,
  };
}

export function summed(all: readonly SpendSums[]): SpendSums {
  return all.reduce(added, NOTHING);
}

/** What counts as spent. */
export function totalMicros({ settledMicros, heldMicros, unresolvedMicros }: SpendSums): Micros {
  return settledMicros + heldMicros + unresolvedMicros;
}

/**
 * The groups in the order of a report: time goes on, everything else begins with the dearest. Groups by endpoint are of one
 * vendor each: two vendors may have a path in common.
 */
export function namedGroups(by: SpendBy, groups: readonly SpendGroup[]): readonly NamedGroup[] {
  const found = new Map<string | null, { name: string | null; vendors: Map<string | null, SpendSums> }>();
  for (const group of groups) {
    const name = by.nameOf(group);
    const id = by.hasVendor ? `${group.vendor} ${name}` : name;
    const one = found.get(id) ?? { name, vendors: new Map<string | null, SpendSums>() };
    const same = one.vendors.get(group.vendor);
    one.vendors.set(group.vendor, same ? added(same, group) : group);
    found.set(id, one);
  }
  const named = [...found.values()].map(({ name, vendors }) => ({
    name,
    ...summed([...vendors.values()]),
    byVendor: [...vendors].map(([vendor, sums]) => ({ ...sums, vendor })).toSorted(dearestFirst),
  }));
  return by.isTime
    ? named.toSorted((a, b) => compareText(a.name, b.name))
    : named.toSorted((a, b) => dearestFirst(a, b) || compareText(a.name, b.name));
}

function dearestFirst(a: SpendSums, b: SpendSums): number {
  const [spentByA, spentByB] = [totalMicros(a), totalMicros(b)];
  if (spentByA !== spentByB) return spentByA > spentByB ? -1 : 1;
  return b.calls - a.calls;
}

/** By code units; nameless last. */
function compareText(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return a < b ? -1 : 1;
}

export function sumsView(sums: SpendSums): SpendSumsView {
  return {
    calls: sums.calls,
    refused: sums.refused,
    settled_usd: formatUsd(sums.settledMicros),
    held_usd: formatUsd(sums.heldMicros),
    unresolved_usd: formatUsd(sums.unresolvedMicros),
    total_usd: formatUsd(totalMicros(sums)),
  };
}

/** The rows of a group: one, or with `split` one for each vendor, the dearest first. */
export function rowsOf(by: SpendBy, split: boolean, group: NamedGroup, all: SpendSums): readonly SpendRowView[] {
  const row = (sums: SpendSums, vendor: { readonly vendor?: string | null }): SpendRowView => ({
    [by.name]: group.name,
    ...vendor,
    ...sumsView(sums),
    share: shareOf(sums, all),
  });
  if (!split && !by.hasVendor) return [row(group, {})];
  return group.byVendor.map(({ vendor, ...sums }) => row(sums, { vendor }));
}

/** To four places: a share is to be looked at, not to be added up. */
function shareOf(part: SpendSums, all: SpendSums): number | null {
  const whole = totalMicros(all);
  return whole <= 0n ? null : Number((totalMicros(part) * 10_000n) / whole) / 10_000;
}
