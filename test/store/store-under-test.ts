import type { Store } from "../../src/store/store.ts";

/** A fresh, empty store of one kind, and what the conformance suite needs around it. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Another handle on the same database, as another process would have; the first one stays open. */
  reopen(): Promise<Store>;
  /** Runs one SQL statement behind the contract's back, as a defect or a curious operator would. */
  tamper(statement: string): Promise<void>;
  /** Closes every handle and removes the database. */
  close(): Promise<void>;
}

export type OpenStore = () => Promise<StoreUnderTest>;

/** Runs `check` against a store of its own. */
export function within(open: OpenStore, check: (subject: StoreUnderTest) => Promise<void>): () => Promise<void> {
  return async () => {
    const subject = await open();
    try {
      await check(subject);
    } finally {
      await subject.close();
    }
  };
}
