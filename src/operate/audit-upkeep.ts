import { sameBytes } from "../audit/chained-row.ts";
import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import type { EpochMs } from "../core/window.ts";
import { causeText, type Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import { pruneAudit } from "./prune-audit.ts";
import { rollbackFound } from "./rollback.ts";

const CHECKPOINT_EVERY_MS = 60_000;
const PRUNE_EVERY_MS = 86_400_000;
const DAY_MS = 86_400_000;

export interface AuditUpkeepOptions {
  /** Its keys are frozen where it turns out to be older than what has been spent. */
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Pick<Config, "auditCheckpointsFile" | "retentionDays">;
  readonly chainKey: Uint8Array;
}

/** What a server does for the audit chain beside calls: a checkpoint every minute, and retention once a day. */
export class AuditUpkeep {
  readonly #options: AuditUpkeepOptions;
  readonly #file: CheckpointFile;
  #failed = false;
  #rolledBack: string | undefined;
  #prunedAtMs: number | undefined;

  constructor(options: AuditUpkeepOptions) {
    this.#options = options;
    this.#file = new CheckpointFile(options.config.auditCheckpointsFile, options.chainKey);
  }

  /** Looks for a rollback, and writes a checkpoint where the chain has moved. Never throws: calls go on without. */
  async checkpoint(): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#checkpoint();
      if (this.#failed) log.info("audit_checkpoints_back", { path: this.#file.path });
      this.#failed = false;
    } catch (cause) {
      if (!this.#failed) log.error("audit_checkpoint_failed", { path: this.#file.path, cause: causeText(cause) });
      this.#failed = true;
    }
  }

  async #checkpoint(): Promise<void> {
    const { store, clock } = this.#options;
    const newest = this.#file.newest();
    const why = await rollbackFound(store, newest);
    const { count, hash, costMicros, at, frozen } = await store.chainState();
    if (why) return this.#tell(why, at);
    // Of a database that an operator has not confirmed yet nothing is put on record.
    if (frozen !== null || count === 0 || (newest?.count === count && sameBytes(newest.hash, hash))) return;
    this.#file.append({ count, hash, costMicros, at: clock.now(), restored: false });
  }

  async #tell(why: string, since: EpochMs): Promise<void> {
    if (this.#rolledBack === why) return;
    this.#rolledBack = why;
    const hint = "no key can spend; see `keybrake audit verify`, then `keybrake restore confirm`";
    this.#options.log.error("audit_rolled_back", { cause: `the data directory was ${why}`, hint });
    await this.#options.store.freeze(why, since);
  }

  /** Applies `retention_days`, where it is set, at most once a day. */
  async prune(): Promise<void> {
    const { clock, config, log } = this.#options;
    if (config.retentionDays === undefined) return;
    const now = clock.elapsed();
    if (this.#prunedAtMs !== undefined && now - this.#prunedAtMs < PRUNE_EVERY_MS) return;
    this.#prunedAtMs = now;
    try {
      const { rows, kept_unresolved } = await pruneAudit(this.#options, { olderThanMs: config.retentionDays * DAY_MS });
      if (rows > 0) log.info("audit_pruned", { rows, kept_unresolved });
    } catch (cause) {
      log.error("audit_prune_failed", { cause: causeText(cause) });
    }
  }
}

/** Begins with a first look; the function it gives writes a last checkpoint and stops. */
export async function startAuditUpkeep(options: AuditUpkeepOptions): Promise<() => Promise<void>> {
  const upkeep = new AuditUpkeep(options);
  await upkeep.checkpoint();
  const timer = setInterval(() => {
    upkeep.checkpoint().then(() => upkeep.prune());
  }, CHECKPOINT_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await upkeep.checkpoint();
  };
}
