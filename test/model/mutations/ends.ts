import { applied, entries, leavingOut, type Mutation } from "./mutation.ts";

/** How holds end. */
export const END_BUGS: readonly Mutation[] = [
  {
    bug: "gives back what nobody knows to be unspent",
    breaks: 3,
    inPipeline: true,
    mutate: entries({ end: (entry) => (entry.to === "unresolved" ? { ...entry, to: "released" } : entry) }),
  },
  {
    bug: "releases dollars and keeps the sends",
    breaks: 3,
    mutate: entries({
      end: (entry) =>
        entry.to === "released" ? { ...entry, to: "settled", end: { ...entry.end, costMicros: 0n } } : entry,
    }),
  },
  {
    bug: "counts a refund for nothing",
    breaks: 3,
    mutate: entries({
      end: (entry) => ({
        ...entry,
        end: { ...entry.end, costMicros: entry.end.costMicros < 0n ? 0n : entry.end.costMicros },
      }),
    }),
  },
  {
    bug: "says of a second end that it was the first",
    breaks: 3,
    mutate: applied((apply) => async (batch, now) => {
      const results = await apply(batch, now);
      return results.map((result) =>
        "resolved" in result && !result.resolved && result.why === "already_resolved"
          ? { resolved: true as const, costMicros: 0n }
          : result,
      );
    }),
  },
  {
    bug: "frees another call of the key, too, when one is released twice",
    breaks: 3,
    mutate: (store) => {
      const held: string[] = [];
      return {
        ...store,
        apply: async (batch, now) => {
          const results = await store.apply(batch, now);
          for (const [index, entry] of batch.entries()) {
            const result = results[index]!;
            if (entry.type === "hold" && "admitted" in result && result.admitted) held.push(entry.facts.id);
            if (entry.type !== "resolve" || !("resolved" in result) || result.resolved || entry.to !== "released")
              continue;
            const { receipt: _, ...another } = entry;
            const callId = held.shift();
            if (callId) await store.apply([{ ...another, callId }], now);
          }
          return results;
        },
      };
    },
  },
  {
    bug: "loses the end of a call that has a receipt",
    breaks: 3,
    mutate: leavingOut((entry) => entry.type === "resolve" && entry.receipt !== undefined, {
      resolved: true,
      costMicros: 0n,
    }),
  },
  {
    bug: "sweeps the holds of a process that lives",
    breaks: 3,
    mutate: (store) => ({ ...store, sweepAbandonedHolds: (now) => store.sweepAbandonedHolds(now + 3_600_000) }),
  },
  {
    bug: "never sweeps",
    breaks: 3,
    mutate: (store) => ({ ...store, sweepAbandonedHolds: async () => 0 }),
  },
];
