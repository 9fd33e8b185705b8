import fc from "fast-check";
import type { Resolution } from "../../src/core/hold.ts";
import type { Micros } from "../../src/core/money.ts";
import type { RefusalCode, Verdict } from "../../src/core/verdict.ts";

/** The caps of a key; null where there is none. */
export interface Caps {
  readonly daily: Micros | null;
  readonly total: Micros | null;
  readonly sends: bigint | null;
  /** Of a day, over refunds alone. */
  readonly refunds: Micros | null;
}

/** What can become of a call that was forwarded: the rows of the table in the ledger's specification. */
export const OUTCOMES = {
  at_cost: { to: "settled", verdict: "allowed", flag: null, cost: (held) => held },
  below: { to: "settled", verdict: "allowed", flag: null, cost: (held) => held / 2n },
  above: { to: "settled", verdict: "allowed", flag: "overrun", cost: (held) => held * 2n + 1n },
  moved_nothing: { to: "settled", verdict: "allowed", flag: null, cost: () => 0n },
  unreadable: { to: "settled", verdict: "allowed", flag: "cost_unreadable", cost: (held) => held },
  refund: { to: "settled", verdict: "allowed", flag: null, cost: (held) => -held },
  vendor_refused: { to: "released", verdict: "allowed", flag: null, cost: () => 0n },
  not_sent: { to: "released", verdict: "upstream_unreachable", flag: "ECONNREFUSED", cost: () => 0n },
  timed_out: { to: "unresolved", verdict: "upstream_timeout", flag: "timeout", cost: () => 0n },
  vendor_failed: { to: "unresolved", verdict: "allowed", flag: null, cost: () => 0n },
} as const satisfies Record<string, OutcomeMeaning>;

interface OutcomeMeaning {
  readonly to: Resolution;
  readonly verdict: Verdict;
  readonly flag: string | null;
  readonly cost: (held: Micros) => Micros;
}

export type Outcome = keyof typeof OUTCOMES;

/** A number that picks one of what there is is taken modulo how many there are, so that any history can be shortened. */
export type Entry =
  | {
      readonly kind: "call";
      readonly key: number;
      readonly exposure: Micros;
      readonly sends: number;
      /** What its money is. */
      readonly money: "charge" | "refund";
      /** What the policy says of it, before the ledger is asked. */
      readonly refusal: RefusalCode | null;
    }
  /** Any call, also one that was refused or has its end: a retry of a resolution. */
  | { readonly kind: "end"; readonly call: number; readonly outcome: Outcome; readonly byReceipt: boolean };

/**
 * How a batch fails. At the contract's edge: the store says no, or it commits and its answer is lost. In the database: its
 * COMMIT is not made, or is made and reported as failed; the store knows then that these calls are in doubt.
 */
export const COMMIT_FAULTS = ["refused", "lost", "commit_refused", "commit_lost"] as const;
export type CommitFault = "none" | (typeof COMMIT_FAULTS)[number];

export type BrakeScope = "everything" | "vendor" | "label";

export type Step =
  | {
      readonly do: "issue";
      readonly caps: Caps;
      readonly lifeMs: number;
      readonly vendor: string;
      readonly label: string;
    }
  | { readonly do: "change"; readonly key: number; readonly caps: Caps }
  | { readonly do: "expire"; readonly key: number }
  | { readonly do: "revoke"; readonly process: number; readonly key: number }
  | { readonly do: "brake"; readonly scope: BrakeScope }
  | { readonly do: "unbrake"; readonly brake: number }
  | {
      readonly do: "batch";
      readonly process: number;
      readonly entries: readonly Entry[];
      readonly fault: CommitFault;
    }
  | { readonly do: "upkeep" | "crash" | "restart"; readonly process: number }
  | { readonly do: "clock"; readonly byMs: number }
  /** `tables` has a bit for each table that can no longer be written to: a commit can fail at any of its writes. */
  | { readonly do: "disk_full"; readonly tables: number }
  | { readonly do: "disk_free" };

const HOUR_MS = 3_600_000;

/** Amounts of a few micro-dollars beside caps of little more: histories meet their caps soon and exactly. */
const cap = (max: bigint) => fc.option(fc.bigInt({ min: 0n, max }), { freq: 3, nil: null });
export const capsArbitrary: fc.Arbitrary<Caps> = fc.record({
  daily: cap(120n),
  total: cap(200n),
  sends: cap(9n),
  refunds: cap(60n),
});

const picks = fc.nat(40);
const twoProcesses = fc.nat(1);

const call = fc.record({
  kind: fc.constant("call" as const),
  key: picks,
  exposure: fc.bigInt({ min: 0n, max: 50n }),
  sends: fc.nat(3),
  money: fc.constantFrom("charge" as const, "refund" as const),
  refusal: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constantFrom("request_rejected" as const, "endpoint_denied" as const) },
  ),
});

const end = fc.record({
  kind: fc.constant("end" as const),
  call: picks,
  outcome: fc.constantFrom(...(Object.keys(OUTCOMES) as Outcome[])),
  byReceipt: fc.boolean(),
});

export const entriesArbitrary: fc.Arbitrary<readonly Entry[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: call }, { weight: 2, arbitrary: end }),
  { minLength: 1, maxLength: 6 },
);

const fault: fc.Arbitrary<CommitFault> = fc.oneof(
  { weight: 10, arbitrary: fc.constant("none" as const) },
  { weight: 1, arbitrary: fc.constantFrom(...COMMIT_FAULTS) },
);

/** Whole seconds: the ledger may note its time no more often, and the model need not know. */
const jumpMs = fc.constantFrom(1000, 5000, 16_000, HOUR_MS, 13 * HOUR_MS, 24 * HOUR_MS, -5000, -HOUR_MS, -24 * HOUR_MS);
const lifeMs = fc.constantFrom(10_000, HOUR_MS, 24 * HOUR_MS, 96 * HOUR_MS);
const label = fc.constantFrom("ray/1", "bo/1");

const vendor = fc.constantFrom("stripe", "resend");

const issue = fc.record({ do: fc.constant("issue" as const), caps: capsArbitrary, lifeMs, vendor, label });

/** What operators do; each in force for the very next batch, whichever process makes it. */
export const operatorArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: issue },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("change" as const), key: picks, caps: capsArbitrary }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("expire" as const), key: picks }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("revoke" as const), process: twoProcesses, key: picks }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("brake" as const),
      scope: fc.constantFrom<BrakeScope>("everything", "vendor", "label"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("unbrake" as const), brake: picks }) },
);

export const clockArbitrary: fc.Arbitrary<Step> = fc.record({ do: fc.constant("clock" as const), byMs: jumpMs });

const batch: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("batch" as const),
  process: twoProcesses,
  entries: entriesArbitrary,
  fault,
});

/** What happens to processes and their machine. */
const mishap: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("upkeep" as const, "upkeep" as const, "crash" as const, "restart" as const),
      process: twoProcesses,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("disk_full" as const), tables: fc.nat(0xffff_ffff) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("disk_free" as const) }) },
);

/** A history: two keys to begin with, and then whatever may happen to a ledger. */
export const historyArbitrary: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.array(issue, { minLength: 1, maxLength: 2 }),
    fc.array(
      fc.oneof(
        { weight: 10, arbitrary: batch },
        { weight: 4, arbitrary: operatorArbitrary },
        { weight: 2, arbitrary: clockArbitrary },
        { weight: 3, arbitrary: mishap },
      ),
      { maxLength: 30, size: "max" },
    ),
  )
  .map(([issues, steps]) => [...issues, ...steps]);
