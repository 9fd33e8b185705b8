import { DAY_MS } from "../ledger/entries.ts";

/** One request, as far as the vendor and the books can tell it from others. */
export interface SentOperation {
  readonly vendorKey: string | null;
  /** The call whose hold it goes under. */
  readonly heldBy: string;
  readonly requestHash: string;
  readonly at: number;
}

/** Does each operation once for an idempotency key, which it forgets as soon as it may: after 24 hours. */
export class RememberingVendor {
  /** Operations that were done, by the call that holds the money. */
  readonly operations = new Map<string, number>();
  readonly takesKeys: boolean;
  readonly #doneAt = new Map<string, number>();

  constructor(takesKeys: boolean) {
    this.takesKeys = takesKeys;
  }

  knows({ vendorKey, requestHash, at }: SentOperation): boolean {
    const doneAt = this.#doneAt.get(`${vendorKey} ${requestHash}`);
    return vendorKey !== null && doneAt !== undefined && at - doneAt < DAY_MS;
  }

  perform(sent: SentOperation): void {
    if (this.knows(sent)) return;
    this.operations.set(sent.heldBy, this.operationsOf(sent.heldBy) + 1);
    this.#doneAt.set(`${sent.vendorKey} ${sent.requestHash}`, sent.at);
  }

  operationsOf(heldBy: string): number {
    return this.operations.get(heldBy) ?? 0;
  }
}
