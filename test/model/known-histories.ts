import type { Step } from "./steps.ts";

const NO_CAPS = { daily: null, total: null, sends: null, refunds: null } as const;
const issue: Step = { do: "issue", caps: NO_CAPS, lifeMs: 3_600_000, vendor: "stripe", label: "ray/1" };

/** Histories that have found something once, as short as they could be made: they are tried first, each time. */
export const KNOWN_HISTORIES: readonly (readonly Step[])[] = [
  // A call that was taken for free and was not: its cost must be found by a cap that the key gets later.
  [
    issue,
    {
      do: "batch",
      process: 0,
      entries: [
        { kind: "call", key: 0, exposure: 0n, sends: 0, money: "charge", refusal: null },
        { kind: "end", call: 0, outcome: "above", byReceipt: false },
      ],
      fault: "none",
    },
    { do: "change", key: 0, caps: { ...NO_CAPS, daily: 0n } },
  ],
  // A COMMIT whose answer was lost is noted, also by the clock, for the other process.
  [
    issue,
    {
      do: "batch",
      process: 0,
      entries: [{ kind: "call", key: 0, exposure: 5n, sends: 0, money: "charge", refusal: null }],
      fault: "commit_lost",
    },
    { do: "clock", byMs: -86_400_000 },
    {
      do: "batch",
      process: 1,
      entries: [{ kind: "call", key: 0, exposure: 5n, sends: 0, money: "charge", refusal: null }],
      fault: "none",
    },
    { do: "upkeep", process: 1 },
    {
      do: "batch",
      process: 0,
      entries: [{ kind: "end", call: 1, outcome: "at_cost", byReceipt: true }],
      fault: "none",
    },
  ],
];
