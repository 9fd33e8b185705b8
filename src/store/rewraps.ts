import type { EpochMs } from "../core/window.ts";

/** How each thing that is sealed in a store is wrapped under another master key. */
export interface Rewraps {
  /** @throws Problem for a secret that the old key does not open: nothing is changed then. */
  vendorSecret(
    sealed: Uint8Array,
    of: { readonly name: string; readonly secretId: string; readonly version: number },
  ): Uint8Array;
  /** @throws Problem as `vendorSecret`. */
  chainKey(sealed: Uint8Array, id: string): Uint8Array;
  /** Undefined for what the old key does not open: it is of no use, and forgotten. */
  rememberedAnswer(sealed: Uint8Array, of: { readonly scope: string; readonly key: string }): Uint8Array | undefined;
  /** As `rememberedAnswer`, for vendors' answers that repeats get. */
  recordedAnswer(sealed: Uint8Array): Uint8Array | undefined;
}

/** How many of each have been wrapped anew. */
export interface Rewrapped {
  readonly vendorSecrets: number;
  readonly answers: number;
}

/** The store's part in a change of the master key. */
export interface RekeyVerbs {
  /**
   * Wraps everything that is sealed anew, all of it or nothing, durable when it returns.
   * @throws Problem `conflict` where a server has a living lease: it would go on with the old key.
   */
  rewrapSealed(rewraps: Rewraps, now: EpochMs): Promise<Rewrapped>;
}
