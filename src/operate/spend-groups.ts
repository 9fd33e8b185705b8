import { formatUsd, type Micros } from "../core/money.ts";
import type { SpendGroup, SpendSums } from "../store/spend.ts";
import type { SpendBy } from "./spend-by.ts";
import type { SpendRowView, SpendSumsView } from "./spend-verbs.ts";

/** Groups of the store under the name that a report gives them: what is one row, or with a split one row a vendor. */
export interface NamedGroup {
  readonly name: string | null;
  readonly sums: SpendSums;
  readonly spentMicros: Micros;
  /** One or several of each vendor. */
  readonly parts: readonly SpendGroup[];
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
 * vendor each: two vendors may have a path in common. There may be a hundred thousand, and few are shown.
 */
export function namedGroups(by: SpendBy, groups: readonly SpendGroup[]): readonly NamedGroup[] {
  const found = new Map<string | null, { name: string | null; sums: SpendSums; parts: SpendGroup[] }>();
  for (const group of groups) {
    const name = by.nameOf(group);
    const id = groupId(by, name, group.vendor);
    const same = found.get(id);
    if (!same) {
      found.set(id, { name, sums: group, parts: [group] });
      continue;
    }
    same.sums = added(same.sums, group);
    same.parts.push(group);
  }
  const named = [...found.values()].map((group) => ({ ...group, spentMicros: totalMicros(group.sums) }));
  return by.isTime
    ? named.toSorted((a, b) => compareText(a.name, b.name))
    : named.toSorted((a, b) => dearestFirst(a, b) || compareText(a.name, b.name));
}

/** What is one row without a split. */
export function groupId(by: SpendBy, name: string | null, vendor: string | null): string | null {
  return by.hasVendor ? `${vendor} ${name}` : name;
}

/** The sums of each vendor of a group, the dearest first. */
function ofVendors({ parts }: NamedGroup): readonly (readonly [vendor: string | null, sums: SpendSums])[] {
  const vendors = new Map<string | null, SpendSums>();
  for (const part of parts) vendors.set(part.vendor, added(vendors.get(part.vendor) ?? NOTHING, part));
  return [...vendors].toSorted(([, a], [, b]) => {
    return dearestFirst({ sums: a, spentMicros: totalMicros(a) }, { sums: b, spentMicros: totalMicros(b) });
  });
}

type Ranked = Pick<NamedGroup, "sums" | "spentMicros">;

function dearestFirst(a: Ranked, b: Ranked): number {
  if (a.spentMicros !== b.spentMicros) return a.spentMicros > b.spentMicros ? -1 : 1;
  return b.sums.calls - a.sums.calls;
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
  if (!split && !by.hasVendor) return [row(group.sums, {})];
  return ofVendors(group).map(([vendor, sums]) => row(sums, { vendor }));
}

/** To four places: a share is to be looked at, not to be added up. */
function shareOf(part: SpendSums, all: SpendSums): number | null {
  const whole = totalMicros(all);
  return whole <= 0n ? null : Number((totalMicros(part) * 10_000n) / whole) / 10_000;
}
