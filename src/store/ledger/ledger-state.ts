import type { ChainHead } from "../../audit/chained-row.ts";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import type { StateStatements } from "./statements.ts";

/** What every transaction of the ledger begins from and leaves behind. */
export interface LedgerState {
  readonly now: EpochMs;
  /** The newest `seq` that was given out. */
  lastSeq: number;
  chain: ChainHead;
  /** Why keys are frozen, as a clause; null where they are not. */
  readonly frozen: string | null;
}

/** The one row of `ledger_state`. */
export class LedgerStates {
  readonly #statements: StateStatements;
  #now: EpochMs = 0;
  /** The newest that this process knows to be on disk. */
  #lastSeq = 0;

  constructor(statements: StateStatements) {
    this.#statements = statements;
  }

  /** The ledger's time never runs backwards: not in this process, nor over restarts and other processes. */
  read(wallClock: EpochMs): LedgerState {
    const row = this.#statements.read.get()!;
    this.#refuseRollback(Number(row.last_seq));
    this.#now = Math.max(this.#now, wallClock, Number(row.now));
    const count = Number(row.chain_count);
    return {
      now: this.#now,
      lastSeq: Number(row.last_seq),
      chain: { count, hash: row.chain_hash, costMicros: BigInt(row.chain_cost) },
      frozen: row.frozen === null ? null : whyFrozen(row.frozen),
    };
  }

  /** What was written is on disk. */
  committed({ lastSeq }: LedgerState): void {
    this.#lastSeq = Math.max(this.#lastSeq, lastSeq);
  }

  /** A copy that was written over the file while it was open (cp, rsync): what was spent since is not in it. */
  #refuseRollback(lastSeq: number): void {
    if (lastSeq >= this.#lastSeq) {
      this.#lastSeq = lastSeq;
      return;
    }
    throw new Problem(
      "unavailable",
      `the ledger went back from call ${this.#lastSeq} to call ${lastSeq}: its file was overwritten by an older one`,
      "calls are refused until keybrake is restarted; restore with `keybrake restore`, which freezes keys until the gap is confirmed",
    );
  }

  write({ now, lastSeq, chain }: LedgerState): void {
    this.#statements.write.run(now, lastSeq, chain.count, chain.hash, chain.costMicros.toString());
  }
}

/** A mark that cannot be read freezes all the same. */
function whyFrozen(mark: string): string {
  try {
    return String((JSON.parse(mark) as { why?: unknown }).why);
  } catch {
    return "it was frozen for a reason that cannot be read";
  }
}
