import fc from "fast-check";
import { COMMIT_FAULTS, type CommitFault } from "./steps.ts";
import { VENDOR_ANSWERS, type VendorAnswer } from "./vendor-answers.ts";

/** One call of a client. */
export interface Shot {
  readonly cents: number;
  readonly answer: VendorAnswer;
  /** Its path is one that the policy forbids. */
  readonly isDenied: boolean;
  /** When the client hangs up: after so many turns of the event loop, or once the vendor has its request. */
  readonly hangUp: "never" | "at_vendor" | number;
}

/** Calls that are made at the same moment, and what else happens at that moment. */
export interface Wave {
  readonly shots: readonly Shot[];
  /** A revoke among them, after so many turns of the event loop. */
  readonly revokeAfter: number | null;
  readonly isBraked: boolean;
  /** How the first commit of the wave fails. */
  readonly fault: CommitFault;
}

const shot: fc.Arbitrary<Shot> = fc.record({
  cents: fc.integer({ min: 1, max: 400 }),
  answer: fc.oneof(
    { weight: 12, arbitrary: fc.constant("at_cost" as const) },
    { weight: 24, arbitrary: fc.constantFrom(...answers().filter((answer) => answer !== "silent")) },
    { weight: 1, arbitrary: fc.constant("silent" as const) },
  ),
  isDenied: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  hangUp: fc.oneof(
    { weight: 8, arbitrary: fc.constant("never" as const) },
    { weight: 1, arbitrary: fc.constant("at_vendor" as const) },
    { weight: 1, arbitrary: fc.nat(8) },
  ),
});

function answers(): readonly VendorAnswer[] {
  return Object.keys(VENDOR_ANSWERS) as VendorAnswer[];
}

const wave: fc.Arbitrary<Wave> = fc.record({
  shots: fc.array(shot, { minLength: 1, maxLength: 16 }),
  revokeAfter: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(12) }),
  isBraked: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  fault: fc.oneof(
    { weight: 6, arbitrary: fc.constant("none" as const) },
    { weight: 1, arbitrary: fc.constantFrom(...COMMIT_FAULTS) },
  ),
});

/** A key's life: its cap, and wave after wave of calls. */
export const wavesArbitrary = fc.record({
  capCents: fc.integer({ min: 0, max: 2_000 }),
  waves: fc.array(wave, { minLength: 1, maxLength: 4 }),
});

export type Waves = typeof wavesArbitrary extends fc.Arbitrary<infer T> ? T : never;
