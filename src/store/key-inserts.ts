import type { KeyInserted, VaultKeyRecord } from "./store.ts";

interface NewKey {
  readonly key: VaultKeyRecord;
  readonly uniqueLabel: boolean;
}

/** Inserts keys in one transaction, in their order. */
type InsertAll = (keys: readonly NewKey[]) => readonly KeyInserted[] | Promise<readonly KeyInserted[]>;

interface Waiting extends NewKey {
  readonly done: (result: KeyInserted) => void;
  readonly failed: (cause: unknown) => void;
}

/** Group commit for new keys: a fleet that starts issues one for each of its runs, and an fsync for each would be its wait. */
export class KeyInserts {
  readonly #insertAll: InsertAll;
  readonly #waiting: Waiting[] = [];

  constructor(insertAll: InsertAll) {
    this.#insertAll = insertAll;
  }

  /** On disk when it resolves. */
  insert(key: VaultKeyRecord, uniqueLabel: boolean): Promise<KeyInserted> {
    return new Promise((done, failed) => {
      this.#waiting.push({ key, uniqueLabel, done, failed });
      if (this.#waiting.length === 1) setImmediate(() => void this.#flush());
    });
  }

  /** Where the batch fails each key is tried alone, so that one that cannot be written takes no other along. */
  async #flush(): Promise<void> {
    const batch = this.#waiting.splice(0);
    try {
      await this.#commit(batch);
    } catch (cause) {
      if (batch.length === 1) batch[0]!.failed(cause);
      else for (const one of batch) await this.#commitAlone(one);
    }
  }

  async #commitAlone(one: Waiting): Promise<void> {
    try {
      await this.#commit([one]);
    } catch (cause) {
      one.failed(cause);
    }
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const results = await this.#insertAll(batch);
    for (const [index, one] of batch.entries()) one.done(results[index]!);
  }
}
