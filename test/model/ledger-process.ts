import type { EpochMs } from "../../src/core/window.ts";
import type { HoldReceipt, LedgerEntry } from "../../src/ledger/entry.ts";
import type { Store } from "../../src/store/store.ts";
import { type FaultyStore, faultyStore } from "./faults.ts";
import type { LedgerModel } from "./ledger-model.ts";
import type { Mutate } from "./mutations/mutation.ts";
import { holdRequest, type KnownKey, knownKey, resolveRequest } from "./requests.ts";
import type { Entry } from "./steps.ts";

/** A proxy process, as far as the ledger sees it: a handle of its own, and a memory that a crash takes away. */
export class LedgerProcess {
  readonly owner: string;
  readonly receipts = new Map<string, HoldReceipt>();
  /** Calls of batches whose COMMIT failed, as its store remembers them until a batch has been committed. */
  inDoubt: readonly string[] = [];
  readonly #mutate: Mutate;
  readonly #keys = new Map<string, KnownKey>();
  #faulty: FaultyStore;
  #store: Store;

  constructor(owner: string, store: Store, mutate: Mutate) {
    this.owner = owner;
    this.#mutate = mutate;
    this.#faulty = faultyStore(store);
    this.#store = mutate(this.#faulty.store);
  }

  get store(): Store {
    return this.#store;
  }

  get faulty(): FaultyStore {
    return this.#faulty;
  }

  /** Closes the store and goes on with a new handle: what the process remembers must still be good. */
  async reopen(open: () => Promise<Store>): Promise<void> {
    await this.#store.close();
    this.inDoubt = [];
    this.#faulty = faultyStore(await open());
    this.#store = this.#mutate(this.#faulty.store);
  }

  /** What it knows of a key, which may have been changed since. */
  async key(id: string): Promise<KnownKey> {
    const known = this.#keys.get(id) ?? knownKey((await this.#store.getKey(id))!);
    this.#keys.set(id, known);
    return known;
  }

  forgetKeys(): void {
    this.#keys.clear();
  }

  /** A batch of what `entries` pick; an end may be that of a call in the same batch. */
  async requests(entries: readonly Entry[], model: LedgerModel, now: EpochMs): Promise<readonly LedgerEntry[]> {
    const calls = [...model.calls.values()].map(({ id, exposure }) => ({ id, exposure }));
    const requests: LedgerEntry[] = [];
    for (const entry of entries) {
      if (entry.kind === "call") {
        const key = pickOf([...model.keys.values()], entry.key);
        if (!key) continue;
        const request = holdRequest(entry, await this.key(key.id), this.owner, now);
        calls.push({ id: request.facts.id, exposure: request.exposureMicros });
        requests.push(request);
      } else {
        const call = pickOf(calls, entry.call);
        if (!call) continue;
        const receipt = entry.byReceipt ? this.receipts.get(call.id) : undefined;
        requests.push(resolveRequest(entry, call, receipt, now));
      }
    }
    return requests;
  }
}

/** Any number picks one of what there is, so that a history which is shortened still means something. */
export function pickOf<T>(things: readonly T[], pick: number): T | undefined {
  return things[pick % things.length];
}
