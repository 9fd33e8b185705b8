import { ChainWalk } from "../audit/chain-walk.ts";
import { type ChainedRow, rowFinishedAt, rowId, rowState } from "../audit/chained-row.ts";
import { Problem } from "../core/problem.ts";
import { type EpochMs, formatDuration } from "../core/window.ts";
import type { PruneAuditRequest, PruneAuditView } from "./audit-chain-verbs.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { nextTurn } from "./verify-audit.ts";

/** Removed in one transaction, for which a call may have to wait: some milliseconds. */
const ROWS_PER_SLICE = 100;

/** So that what a segment keeps of its rows' counters stays small, and no slice has much to write. */
const ROWS_PER_SEGMENT_MAX = 5_000;

const DAY_MS = 86_400_000;

type PruneOptions = Pick<ControlPlaneOptions, "store" | "chainKey" | "clock">;

/**
 * Removes the rows of calls that ended before the cut, from the beginning of the chain on, and lets sealed segments stand
 * for them. An unresolved call stays until it is resolved. Every row is checked before it goes: nothing that was tampered
 * with is lost in this way.
 * @throws Problem `conflict` where the chain is broken, or another process prunes.
 */
export async function pruneAudit(
  options: PruneOptions,
  { olderThanMs, dryRun = false, onProgress }: PruneAuditRequest,
): Promise<PruneAuditView> {
  if (!Number.isSafeInteger(olderThanMs) || olderThanMs < DAY_MS) {
    const got = formatDuration(olderThanMs);
    throw new Problem("invalid", `rows can be removed when they are older than 1d, not ${got}`, "give a day or more");
  }
  const cut = options.clock.now() - olderThanMs;
  const pruning = new Pruning(options, dryRun, onProgress);
  const walk = await ChainWalk.begin(options.store, options.chainKey, { pause: nextTurn });
  const { openFrom } = walk.end;
  for (;;) {
    const step = await walk.step();
    if (!step) break;
    if ("finding" in step) throw broken(step.finding.message);
    if ("segment" in step) await pruning.flush();
    else if (rowFinishedAt(step.row) >= cut || (openFrom !== undefined && step.row.place >= openFrom)) break;
    else await pruning.take(step.row);
  }
  await pruning.flush();
  return pruning.view(cut);
}

function broken(message: string): Problem {
  return new Problem(
    "conflict",
    `nothing more is removed: ${message}`,
    "`keybrake audit verify` says more; find out what happened before anything is pruned",
  );
}

/** What is taken from the chain's beginning, slice by slice. */
class Pruning {
  readonly #options: PruneOptions;
  readonly #dryRun: boolean;
  readonly #onProgress: PruneAuditRequest["onProgress"];
  #slice: ChainedRow[] = [];
  #rows = 0;
  #kept = 0;

  constructor(options: PruneOptions, dryRun: boolean, onProgress: PruneAuditRequest["onProgress"]) {
    this.#options = options;
    this.#dryRun = dryRun;
    this.#onProgress = onProgress;
  }

  async take(row: ChainedRow): Promise<void> {
    if (rowState(row) === "unresolved" && !(await this.#options.store.isResolved(rowId(row)))) {
      this.#kept += 1;
      return this.flush();
    }
    this.#slice.push(row);
    if (this.#slice.length >= ROWS_PER_SLICE) await this.flush();
  }

  async flush(): Promise<void> {
    const slice = this.#slice.splice(0);
    if (slice.length === 0) return;
    const { store, clock } = this.#options;
    const began = clock.elapsed();
    if (!this.#dryRun && !(await store.pruneAudit(slice, ROWS_PER_SEGMENT_MAX, clock.now()))) {
      throw new Problem("conflict", "another process removes audit rows right now", "let it finish");
    }
    this.#rows += slice.length;
    this.#onProgress?.(this.#rows);
    // The database is free at least half of the time, so that calls find it so.
    const tookMs = clock.elapsed() - began;
    if (!this.#dryRun && tookMs > 0) await new Promise((done) => setTimeout(done, tookMs));
  }

  view(cut: EpochMs): PruneAuditView {
    return {
      rows: this.#rows,
      kept_unresolved: this.#kept,
      before: new Date(cut).toISOString(),
      dry_run: this.#dryRun,
    };
  }
}
