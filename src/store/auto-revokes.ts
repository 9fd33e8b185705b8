import type { EpochMs } from "../core/window.ts";
import type { AlertSlice, Tally, TallyKind, TrippedRule } from "./alert-queue.ts";

/** A key that one of its own rules revokes. */
export interface AutoRevocation {
  readonly keyId: string;
  readonly reason: string;
  readonly tripped: TrippedRule;
}

/** What a slice of rows gives rise to. */
export interface RevokeFindings {
  readonly tallies: readonly Tally[];
  /** What no rule counts any more: slots of a subject before that time. */
  readonly aged: readonly { readonly kind: TallyKind; readonly subject: string; readonly before: EpochMs }[];
  readonly revocations: readonly AutoRevocation[];
  readonly at: EpochMs;
}

/** The store's part in `auto_revoke`: the rows that no rule has seen, what was counted, and the revocations themselves. */
export interface AutoRevokes {
  /** The next rows; none where no key that is active at `now` has rules, and then nothing is left to be read either. */
  readRevokeSlice(rowsMax: number, now: EpochMs): Promise<AlertSlice>;
  /**
   * Moves the cursor, counts, and revokes, all or nothing; the keys that this call revoked, or undefined where another server
   * was faster. In force for every process when it returns, as a revoke by hand.
   */
  finishRevokeSlice(slice: AlertSlice, findings: RevokeFindings): Promise<readonly string[] | undefined>;
  /** Forgets what was counted before that time. */
  purgeRevokeTallies(before: EpochMs): Promise<void>;
}
