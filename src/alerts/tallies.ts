import type { EpochMs } from "../core/window.ts";
import type { AlertQueue, Tally, TallyKind } from "../store/alert-queue.ts";

/** What the store has added up, with what one slice of rows adds to it. */
export class Tallies {
  readonly #store: Pick<AlertQueue, "alertTallies">;
  readonly #added = new Map<string, Tally>();

  constructor(store: Pick<AlertQueue, "alertTallies">) {
    this.#store = store;
  }

  add(kind: TallyKind, subject: string, slot: EpochMs, amount: bigint, at: EpochMs): void {
    const name = JSON.stringify([kind, subject, slot]);
    const before = this.#added.get(name);
    this.#added.set(name, {
      kind,
      subject,
      slot,
      amount: (before?.amount ?? 0n) + amount,
      at: Math.max(at, before?.at ?? 0),
    });
  }

  /** The slots that begin at `from` or later. */
  async slots(kind: TallyKind, subject: string, from: EpochMs): Promise<ReadonlyMap<EpochMs, bigint>> {
    const kept = await this.#store.alertTallies(kind, subject, from);
    const slots = new Map(kept.map(({ slot, amount }) => [slot, amount]));
    for (const added of this.#added.values()) {
      if (added.kind !== kind || added.subject !== subject || added.slot < from) continue;
      slots.set(added.slot, (slots.get(added.slot) ?? 0n) + added.amount);
    }
    return slots;
  }

  added(): readonly Tally[] {
    return [...this.#added.values()];
  }
}
