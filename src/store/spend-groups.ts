import type { CallFacts } from "../audit/row.ts";
import type { Micros } from "../core/money.ts";
import type { SpendGroup, SpendKey, SpendQuery } from "./spend.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** A group as the statements give it. */
export interface GroupRow {
  readonly value: string | null;
  readonly vendor: string | null;
  readonly calls: bigint;
  readonly refused: bigint;
  readonly settled_micros: bigint;
  readonly unresolved_micros: bigint;
}

interface Sums {
  calls: number;
  refused: number;
  settledMicros: Micros;
  heldMicros: Micros;
  unresolvedMicros: Micros;
}

/** Groups that are added to from slot to slot. */
export class SpendGroups {
  readonly #groups = new Map<string | null, Map<string | null, Sums>>();

  add({ value, vendor, calls, refused, settled_micros, unresolved_micros }: GroupRow): void {
    const sums = this.#of(value, vendor);
    sums.calls += Number(calls);
    sums.refused += Number(refused);
    sums.settledMicros += settled_micros;
    sums.unresolvedMicros += unresolved_micros;
  }

  /** A call in flight. */
  addHeld({ by, splitByVendor }: SpendQuery, facts: CallFacts, exposureMicros: Micros): void {
    const sums = this.#of(HELD_VALUES[by](facts), splitByVendor ? facts.vendor : null);
    sums.calls += 1;
    sums.heldMicros += exposureMicros;
  }

  all(): readonly SpendGroup[] {
    return [...this.#groups].flatMap(([value, ofOne]) =>
      [...ofOne].map(([vendor, sums]) => ({ value, vendor, ...sums })),
    );
  }

  #of(value: string | null, vendor: string | null): Sums {
    let ofOne = this.#groups.get(value);
    if (!ofOne) {
      ofOne = new Map();
      this.#groups.set(value, ofOne);
    }
    let sums = ofOne.get(vendor);
    if (!sums) {
      sums = { calls: 0, refused: 0, settledMicros: 0n, heldMicros: 0n, unresolvedMicros: 0n };
      ofOne.set(vendor, sums);
    }
    return sums;
  }
}

const HELD_VALUES: Readonly<Record<SpendKey, (facts: CallFacts) => string | null>> = {
  run: ({ agentRunId }) => agentRunId,
  label: ({ agentRunLabel }) => agentRunLabel,
  agent: ({ agentName }) => agentName,
  vendor: ({ vendor }) => vendor,
  endpoint: ({ method, endpoint }) => `${method} ${endpoint}`,
  day: ({ calledAt }) => String(calledAt - (calledAt % DAY_MS)),
  hour: ({ calledAt }) => String(calledAt - (calledAt % HOUR_MS)),
};
