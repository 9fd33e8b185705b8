import type { EpochMs } from "../core/window.ts";
import type { Brake, KeyState } from "../ledger/entry.ts";
import type { VendorObject } from "../ledger/object.ts";

/** What the ledger would look at before the money of a call. */
export interface Standing {
  readonly key: KeyState | undefined;
  readonly brakes: readonly Brake[];
  /** Why nothing may be spent; null where nothing stands against it. */
  readonly frozen: string | null;
  readonly object: VendorObject | undefined;
  readonly isRepeat: boolean;
  /** The ledger's clock. */
  readonly now: EpochMs;
}
