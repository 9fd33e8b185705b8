import type { LedgerResult } from "../../../src/ledger/entry.ts";
import { applied, leavingOut, type Mutation } from "./mutation.ts";

const REFUSED: LedgerResult = {
  admitted: false,
  code: "endpoint_denied",
  rule: "rule",
  budget: undefined,
  reason: null,
};

/** Rows and commits. */
export const ROW_BUGS: readonly Mutation[] = [
  {
    bug: "forwards a call whose commit has failed",
    breaks: 2,
    inPipeline: true,
    mutate: applied((apply) => async (batch, now) => {
      try {
        return await apply(batch, now);
      } catch {
        return batch.map((entry) =>
          entry.type === "hold"
            ? { admitted: true, charges: [], tightest: undefined }
            : { resolved: true, costMicros: entry.end.costMicros },
        );
      }
    }),
  },
  {
    bug: "forwards a call that is not on disk",
    breaks: 2,
    mutate: leavingOut(
      (entry) => entry.type === "hold" && entry.exposureMicros === 0n && entry.sends === 0 && !entry.refusal,
      {
        admitted: true,
        charges: [],
        tightest: undefined,
      },
    ),
  },
  {
    bug: "writes no row for a call that its policy refuses",
    breaks: 5,
    inPipeline: true,
    mutate: leavingOut((entry) => entry.type === "hold" && entry.refusal?.code === "endpoint_denied", REFUSED),
  },
  {
    bug: "writes a second row when it tries a batch again",
    breaks: 5,
    inPipeline: true,
    mutate: applied((apply) => async (batch, now) => {
      const results = await apply(batch, now);
      const refused = batch.find((entry) => entry.type === "hold" && entry.refusal);
      if (refused?.type === "hold")
        await apply([{ ...refused, facts: { ...refused.facts, id: `${refused.facts.id}2` } }], now);
      return results;
    }),
  },
  {
    bug: "answers one call with the decision of another",
    breaks: 8,
    mutate: applied((apply) => async (batch, now) => [...(await apply(batch, now))].reverse()),
  },
  {
    bug: "decides the calls of a batch in another order than they came",
    breaks: 8,
    mutate: applied((apply) => async (batch, now) => [...(await apply([...batch].reverse(), now))].reverse()),
  },
  {
    bug: "commits the first half of a batch whose second half fails",
    breaks: 5,
    mutate: applied((apply) => async (batch, now) => {
      try {
        return await apply(batch, now);
      } catch (cause) {
        await apply(batch.slice(0, 1), now);
        throw cause;
      }
    }),
  },
];
