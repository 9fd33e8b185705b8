import type { EpochMs } from "../core/window.ts";
import type { ControlTokenRecord } from "./store.ts";

/** A browser that is signed in with a control token: never the session's id, only its hash. */
export interface SessionRecord {
  readonly idHash: Uint8Array;
  readonly tokenId: string;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs;
}

/** What a living session stands for. */
export interface LivingSession {
  readonly token: ControlTokenRecord;
  readonly expiresAt: EpochMs;
}

/** Browsers' sessions; in the store, so that they outlast a restart and hold for every server on it. */
export interface SessionVerbs {
  /** Keeps it, and of the token's earlier ones only the newest, so that it has at most `perTokenMax`. Forgets expired ones. */
  insertSession(session: SessionRecord, perTokenMax: number): Promise<void>;
  /** Undefined where it has expired, was ended, or its token was revoked: from that moment on, in every process. */
  findSession(idHash: Uint8Array, now: EpochMs): Promise<LivingSession | undefined>;
  /** False where there is none (any more). */
  endSession(idHash: Uint8Array): Promise<boolean>;
}
