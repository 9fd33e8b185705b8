import fc from "fast-check";
import { DAY_MS } from "../ledger/entries.ts";

/** Of a record: ends before the vendor forgets, for a look-up that sets out at its end (src/proxy/repeat.ts). */
export const LIFE_MS = DAY_MS - 600_000;

/** What the vendor does with a call, and what comes back of it. */
export const VENDOR_ENDS = ["answered", "answer_lost", "lost_before", "refused", "declined", "not_sent"] as const;
export type VendorEnd = (typeof VENDOR_ENDS)[number];
const FAULTS = ["none", "none", "none", "commit_lost", "commit_refused"] as const;

export type ReplayStep =
  | {
      readonly do: "call";
      readonly process: number;
      readonly key: number;
      readonly body: number;
      readonly fault: (typeof FAULTS)[number];
    }
  | { readonly do: "end"; readonly flight: number; readonly how: VendorEnd }
  | { readonly do: "crash"; readonly process: number; readonly isDone: boolean }
  | { readonly do: "clock"; readonly byMs: number }
  | { readonly do: "sweep" | "purge" }
  | { readonly do: "resolve"; readonly call: number };

export interface ReplayHistory {
  /** Whether the vendor tells repeats by their idempotency key. */
  readonly takesKeys: boolean;
  readonly steps: readonly ReplayStep[];
}

const process = fc.nat(1);
export const replayArbitrary: fc.Arbitrary<ReplayHistory> = fc.record({
  takesKeys: fc.boolean(),
  steps: fc.array(
    fc.oneof(
      {
        weight: 6,
        // Mostly one key and one body: what repeats must not do, they do with those.
        arbitrary: fc.record({
          do: fc.constant("call" as const),
          process,
          key: fc.constantFrom(0, 0, 0, 1),
          body: fc.constantFrom(0, 0, 0, 0, 1),
          fault: fc.constantFrom(...FAULTS),
        }),
      },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant("end" as const),
          flight: fc.nat(2),
          how: fc.constantFrom(...VENDOR_ENDS, "answer_lost", "answer_lost"),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const), process, isDone: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("resolve" as const), call: fc.nat(9) }) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("clock" as const),
          byMs: fc.constantFrom(1, 3_600_000, LIFE_MS - 1, LIFE_MS),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("sweep" as const, "purge" as const) }) },
    ),
    { minLength: 8, maxLength: 30 },
  ),
});
