import type { KeyInserted, VaultKeyRecord } from "../store.ts";
import type { SqliteKeys } from "./keys.ts";

interface Waiting {
  readonly key: VaultKeyRecord;
  readonly uniqueLabel: boolean;
  readonly done: (result: KeyInserted) => void;
  readonly failed: (cause: unknown) => void;
}

/** Group commit for new keys: a fleet that starts issues one for each of its runs, and an fsync for each would be its wait. */
export class KeyInserts {
  readonly #keys: SqliteKeys;
  readonly #waiting: Waiting[] = [];

  constructor(keys: SqliteKeys) {
    this.#keys = keys;
  }

  /** On disk when it resolves. */
  insert(key: VaultKeyRecord, uniqueLabel: boolean): Promise<KeyInserted> {
    return new Promise((done, failed) => {
      this.#waiting.push({ key, uniqueLabel, done, failed });
      if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    });
  }

  /** Where the batch fails each key is tried alone, so that one that cannot be written takes no other along. */
  #flush(): void {
    const batch = this.#waiting.splice(0);
    try {
      this.#commit(batch);
    } catch (cause) {
      if (batch.length === 1) batch[0]!.failed(cause);
      else for (const one of batch) this.#commitAlone(one);
    }
  }

  #commitAlone(one: Waiting): void {
    try {
      this.#commit([one]);
    } catch (cause) {
      one.failed(cause);
    }
  }

  #commit(batch: readonly Waiting[]): void {
    const results = this.#keys.insertAll(batch);
    for (const [index, one] of batch.entries()) one.done(results[index]!);
  }
}
