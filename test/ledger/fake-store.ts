import type { LedgerStore } from "../../src/ledger/batch.ts";
import type { LedgerEntry, LedgerResult } from "../../src/ledger/entry.ts";

/** One commit under way: the test says when and how it ends. */
export interface Commit {
  readonly entries: readonly LedgerEntry[];
  succeed(): void;
  fail(cause: unknown): void;
}

/** A store whose commits wait for the test. */
export class FakeStore implements LedgerStore {
  readonly #commits: Commit[] = [];
  readonly #waiting: ((commit: Commit) => void)[] = [];
  commitCount = 0;

  apply(entries: readonly LedgerEntry[]): Promise<readonly LedgerResult[]> {
    this.commitCount += 1;
    return new Promise((done, failed) => {
      const commit: Commit = { entries, succeed: () => done(entries.map(resultOf)), fail: failed };
      const waiter = this.#waiting.shift();
      if (waiter) waiter(commit);
      else this.#commits.push(commit);
    });
  }

  /** The next commit, as soon as the batcher makes it. */
  next(): Promise<Commit> {
    const commit = this.#commits.shift();
    return commit ? Promise.resolve(commit) : new Promise((got) => this.#waiting.push(got));
  }
}

function resultOf(entry: LedgerEntry): LedgerResult {
  return entry.type === "hold"
    ? { admitted: true, charges: [], tightest: undefined }
    : { resolved: true, costMicros: entry.end.costMicros };
}

/** `h1 h2 r1`: what a commit was made of, in order, by the ids that the test gave. */
export function namesOf({ entries }: Commit): string {
  return entries.map((entry) => (entry.type === "hold" ? entry.facts.id : entry.callId)).join(" ");
}
