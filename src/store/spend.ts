import type { Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import type { AuditFilter } from "./store.ts";

/** What spending can be grouped by in the store. `run` is the request's own id or the run label, `label` the latter alone. */
export const SPEND_KEYS = ["run", "label", "agent", "vendor", "endpoint", "day", "hour"] as const;
export type SpendKey = (typeof SPEND_KEYS)[number];

export interface SpendFilter
  extends Pick<AuditFilter, "run" | "labelContains" | "keyId" | "vendor" | "since" | "until"> {
  /** Only keys that were issued with this control token. */
  readonly issuedBy?: string;
}

export interface SpendQuery {
  readonly by: SpendKey;
  /** Groups of one vendor each. */
  readonly splitByVendor: boolean;
  readonly filter: SpendFilter;
}

/** Calls and money with the meanings of `AuditTotals`. */
export interface SpendSums {
  readonly calls: number;
  readonly refused: number;
  readonly settledMicros: Micros;
  readonly heldMicros: Micros;
  readonly unresolvedMicros: Micros;
}

export interface SpendGroup extends SpendSums {
  /** What the calls have in common; the start of an hour or UTC day as epoch milliseconds in decimal digits. */
  readonly value: string | null;
  /** Null where groups are not of one vendor each. */
  readonly vendor: string | null;
}

export interface SpendReport {
  /** In no order. */
  readonly groups: readonly SpendGroup[];
  /**
   * The bounds that were kept to: those of the filter, or the hour's around them where rows of that hour are gone by
   * retention and only its sums are left.
   */
  readonly since: EpochMs | undefined;
  readonly until: EpochMs | undefined;
}

/** How far the rows are added up. */
export interface SpendProgress {
  /** Rows, counted by their numbers, that are added up. */
  readonly done: number;
  /** Rows that are final and still to be added. */
  readonly left: number;
}

/** An hour, or the days, whose sums are not those of the rows (`keybrake doctor`). */
export interface SpendMismatch {
  readonly hour: EpochMs;
  /** What the sums and the rows say, in words. */
  readonly sums: string;
  readonly rows: string;
}

/** The store's part in reports of spending. */
export interface SpendStore {
  /** Adds the next final rows to the sums, at most `rowsMax`, in one transaction: each once, whoever does it. */
  addUpSpend(rowsMax: number): Promise<SpendProgress>;
  spendProgress(): Promise<SpendProgress>;
  /**
   * What was spent: exactly what the audit's rows say at one moment, also of calls in flight and of rows that are not added
   * up yet. Reads in slices with a pause after each, so that a server answers calls meanwhile.
   * @param onRows is told how many rows that are not added up have been read.
   */
  sumSpend(query: SpendQuery, onRows?: (done: number) => void): Promise<SpendReport>;
  /** Recomputes the sums from the rows, as far as these are there. */
  checkSpend(): Promise<readonly SpendMismatch[]>;
}
