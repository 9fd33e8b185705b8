import type { Resolution } from "../../src/core/hold.ts";
import { timeOrderedId } from "../../src/core/id.ts";
import type { EpochMs } from "../../src/core/window.ts";
import type { Store } from "../../src/store/store.ts";
import { DAY_MS, dailyCap, holdOf, NOON, resolutionOf, sendCap, totalCap } from "../ledger/entries.ts";
import { issue } from "../store/records.ts";
import type { Random } from "./random.ts";

/** A key of the chain, as an installation would have it. */
export const CHAIN_KEY: Uint8Array = new Uint8Array(32).fill(7);

export interface HistoryOptions {
  readonly calls: number;
  readonly random: Random;
  readonly from?: EpochMs;
  readonly stepMs?: number;
}

/**
 * Calls of every fate, several in flight at a time, so that the order in which they end is not the one in which they were
 * decided. The store must have its chain key already. All of them have ended when it returns.
 * @returns the unresolved calls that were not resolved later.
 */
export async function recordHistory(
  store: Store,
  { calls, random, from = NOON, stepMs = 1_000 }: HistoryOptions,
): Promise<readonly string[]> {
  const { id: keyId } = await issue(store, { expiresAt: from + 4_000 * DAY_MS });
  const budgets = [dailyCap(keyId, 1_000_000), totalCap(keyId, 1_000_000), sendCap(keyId, 1_000_000)];
  const open: string[] = [];
  const unresolved: string[] = [];
  let now = from;
  const end = async (callId: string) => {
    const to = random.pick<Resolution>(["settled", "settled", "settled", "released", "unresolved"]);
    await store.apply([resolutionOf(callId, to, random.below(5), { finishedAt: now })], now);
    if (to === "unresolved") unresolved.push(callId);
  };
  for (let call = 0; call < calls; call++) {
    now += stepMs;
    const refusal = random.below(5) === 0 ? ({ code: "brake_engaged", rule: "brake" } as const) : undefined;
    const facts = {
      id: timeOrderedId("call", now),
      calledAt: now,
      metadata: random.below(3) === 0 ? '{"team":"päy 😀"}' : null,
    };
    const hold = holdOf(keyId, 1 + random.below(9), { budgets, refusal, facts, sends: 1 });
    await store.apply([hold], now);
    if (!refusal) open.push(hold.facts.id);
    if (open.length > 4) await end(open.splice(random.below(open.length), 1)[0]!);
    if (unresolved.length > 1 && random.below(3) === 0) {
      await store.apply([resolutionOf(unresolved.shift()!, "settled", 2, { finishedAt: now })], now);
    }
  }
  for (const callId of open) await end(callId);
  return unresolved;
}
