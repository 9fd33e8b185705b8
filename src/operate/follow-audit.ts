import { type PresentedRow, presentRow } from "../audit/present.ts";
import type { AuditRow } from "../audit/row.ts";
import { Problem } from "../core/problem.ts";
import type { AuditFilter, Store } from "../store/store.ts";

/** Calls in flight that are looked at again; beyond them the oldest are shown as held and not again. */
const HELD_MAX = 256;
const ROWS_PER_POLL_MAX = 1000;

/**
 * The rows that come, each once when its call is decided, and a call that was then in flight once more when its end is
 * known. Asked again and again; it keeps its place.
 */
export class AuditFollower {
  readonly #store: Store;
  readonly #filter: AuditFilter;
  #after: number;
  readonly #held = new Set<number>();

  private constructor(store: Store, filter: AuditFilter, after: number) {
    this.#store = store;
    this.#filter = filter;
    this.#after = after;
  }

  /** Begins behind the newest row that there is. */
  static async fromNow(store: Store, filter: AuditFilter): Promise<AuditFollower> {
    const { rows } = await store.queryAudit({}, { limit: 1 });
    return new AuditFollower(store, filter, rows[0]?.seq ?? 0);
  }

  /**
   * Goes on from `place`, which an earlier follower gave, or from a cursor of the audit. One that lies ahead of every row
   * (of another data directory, or of before a restore) is taken for now.
   * @throws Problem `invalid` for a place that is none.
   */
  static async from(store: Store, filter: AuditFilter, place: string): Promise<AuditFollower> {
    const [after, ...held] = readPlace(place);
    const { rows } = await store.queryAudit({}, { limit: 1 });
    const newest = rows[0]?.seq ?? 0;
    if (after! > newest) return new AuditFollower(store, filter, newest);
    const follower = new AuditFollower(store, filter, after!);
    for (const back of held) follower.#held.add(after! - back);
    return follower;
  }

  /** Where it is: the last row it has seen, and how far back the calls lie that were in flight then, in base 36. */
  get place(): string {
    return [this.#after, ...[...this.#held].map((seq) => this.#after - seq)].map((part) => part.toString(36)).join(".");
  }

  /** What is new since the last time, in the order of the calls. */
  async poll(): Promise<readonly PresentedRow[]> {
    const ended = await this.#ended();
    const { rows } = await this.#store.queryAudit(this.#filter, { after: this.#after, limit: ROWS_PER_POLL_MAX });
    for (const row of rows) {
      this.#after = row.seq;
      if (row.state === "held") this.#held.add(row.seq);
    }
    for (const seq of this.#held) {
      if (this.#held.size <= HELD_MAX) break;
      this.#held.delete(seq);
    }
    return [...ended, ...rows].map(presentRow);
  }

  /** By their place and without the filter: one that selects held calls no longer fits a call that has ended. */
  async #ended(): Promise<readonly AuditRow[]> {
    const ended: AuditRow[] = [];
    for (const seq of this.#held) {
      const [row] = (await this.#store.queryAudit({}, { after: seq - 1, limit: 1 })).rows;
      if (row?.seq === seq && row.state === "held") continue;
      this.#held.delete(seq);
      if (row?.seq === seq) ended.push(row);
    }
    return ended;
  }
}

function readPlace(place: string): readonly number[] {
  const parts = /^[0-9a-z]{1,11}(?:\.[0-9a-z]{1,11})*$/.test(place)
    ? place.split(".").map((part) => Number.parseInt(part, 36))
    : [];
  const [after = Number.NaN, ...held] = parts;
  if (Number.isSafeInteger(after) && held.length <= HELD_MAX && held.every((back) => back < after)) return parts;
  throw new Problem(
    "invalid",
    `the place ${JSON.stringify(place.slice(0, 60))} is none that this stream gave`,
    "pass the id of the last event as it came, or leave it out to begin now",
  );
}
