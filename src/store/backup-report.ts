import type { Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";

/** A backup that has been written and checked. */
export interface BackupReport {
  readonly path: string;
  readonly takenAt: EpochMs;
  readonly sizeBytes: number;
  readonly calls: number;
  readonly keys: number;
  /** The newest `seq` in it. */
  readonly lastSeq: number;
  /** Counters that do not equal the sum over their rows, in the database as in its copy; undefined where that was too much to add up. */
  readonly counterMismatches: number | undefined;
}

/** Why no key can spend: after a restore nobody knows what was spent since the backup. */
export interface Frozen {
  /** When the backup was made: from then on the database knows nothing. */
  readonly since: EpochMs;
  /** A clause, as in `restored from a backup of 2026-01-15T12:00:00.000Z`; agents are told it, too. */
  readonly why: string;
  /** The newest `seq` at that time. */
  readonly backupSeq: number;
  /** What the replaced database had and the backup has not; undefined where there was none, or it could not be read. */
  readonly lost?: Lost | undefined;
}

/** What a restore takes back, as far as the database that it replaces can say. */
export interface Lost {
  /** Calls that went out, and the most they have cost. */
  readonly calls: number;
  readonly spentMicros: Micros;
  /** What was stopped since the backup, and is not in it: these work again. */
  readonly revokedKeys: readonly string[];
  readonly revokedTokens: readonly string[];
  readonly brakes: number;
  /** Where the replaced database is kept. */
  readonly keptAt: string;
}
