import type { HoldDecision, HoldRequest } from "../../../src/ledger/entry.ts";
import type { Store } from "../../../src/store/store.ts";
import { NOON } from "../../ledger/entries.ts";

/**
 * The decision on a hold. Where the machine is so busy that somebody else has the lock for longer than a call waits, the
 * call is refused and holds nothing: it asks again.
 */
export async function ask(store: Store, hold: HoldRequest): Promise<HoldDecision> {
  for (;;) {
    try {
      const [decision] = await store.apply([hold], NOON);
      if (!decision || !("admitted" in decision)) throw new Error("no decision");
      return decision;
    } catch (cause) {
      if (!String(cause).includes("database is locked")) throw cause;
    }
  }
}
