import type { LedgerResult } from "../../../src/ledger/entry.ts";
import type { RepeatTerms } from "../../../src/ledger/repeat.ts";
import { applied, entries, type Mutate, type Mutation } from "./mutation.ts";

function terms(change: (repeat: RepeatTerms, owner: string) => RepeatTerms): Mutate {
  return entries({
    hold: (entry) => (entry.repeat ? { ...entry, repeat: change(entry.repeat, entry.owner) } : entry),
    end: (entry) => entry,
  });
}

function lives(factor: number): Mutate {
  return terms((repeat) => ({
    ...repeat,
    slots: repeat.slots.map(({ name, lifeMs }) => ({ name, lifeMs: lifeMs * factor })),
  }));
}

/** How repeats are told from calls of their own. */
export const REPEAT_BUGS: readonly Mutation[] = [
  {
    bug: "knows no repeats",
    breaks: 7,
    mutate: entries({
      hold: ({ repeat: _, ...entry }) => entry,
    }),
  },
  {
    bug: "takes any request under a known key for its repeat",
    breaks: 7,
    mutate: terms((repeat) => ({ ...repeat, requestHash: "any" })),
  },
  {
    bug: "forgets calls before the vendor does",
    breaks: 7,
    mutate: lives(1 / 48),
  },
  {
    bug: "asks about a call that the vendor has forgotten",
    breaks: 7,
    mutate: lives(3),
  },
  {
    bug: "lets a call be tried again whose outcome nobody knows",
    breaks: 7,
    mutate: entries({
      end: (entry) =>
        entry.repeat?.outcome === "unknown" ? { ...entry, repeat: { ...entry.repeat, outcome: "free" } } : entry,
    }),
  },
  {
    bug: "sends a look-up to a vendor that would do it again",
    breaks: 7,
    mutate: terms((repeat) => ({ ...repeat, vendorKey: repeat.vendorKey ?? "kb_none" })),
  },
  {
    bug: "takes a look-up for a call of its own, which holds nothing",
    breaks: 7,
    mutate: applied((apply) => async (batch, now) => {
      const results = await apply(batch, now);
      return results.map((result): LedgerResult => {
        if (!("admitted" in result) || !result.admitted) return result;
        const { resumes: _, ...own } = result;
        return own;
      });
    }),
  },
];
