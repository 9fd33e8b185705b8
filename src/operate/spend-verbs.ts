import type { EpochMs } from "../core/window.ts";
import type { Actor } from "./control-plane.ts";

/** What operators ask of spending: a part of `ControlPlane`. */
export interface SpendVerbs {
  /** What was spent, by group; exactly what the audit's rows say. An issuer sees what its own keys spent. */
  spend(request: SpendRequest, actor: Actor): Promise<SpendReportView>;
}

export interface SpendRequest {
  /** `run` (the default), `agent`, `vendor`, `endpoint`, `day`, `hour`, or `label:N` for the N-th part of the run label. */
  readonly by?: string | undefined;
  /** A row for each vendor in a group. */
  readonly split?: "vendor" | undefined;
  /** Calls from then on; 7 days back where it is not given. */
  readonly since?: EpochMs | undefined;
  readonly until?: EpochMs | undefined;
  readonly vendor?: string | undefined;
  /** A run label, or the request's own run id. */
  readonly run?: string | undefined;
  readonly label_contains?: string | undefined;
  readonly key_id?: string | undefined;
  /** Groups, 1 to 10,000; 100 where it is not given. */
  readonly limit?: number | undefined;
  readonly project?: boolean | undefined;
  readonly anomalies?: boolean | undefined;
  /** Told while rows are added up that no report has needed so far. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
  /** How long to wait for that, in milliseconds; without it, as long as it takes. */
  readonly patienceMs?: number | undefined;
}

/** Decimal dollars, each with the meaning that it has in the totals of the audit. */
export interface SpendSumsView {
  readonly calls: number;
  readonly refused: number;
  readonly settled_usd: string;
  readonly held_usd: string;
  readonly unresolved_usd: string;
  /** The three together: what counts as spent. */
  readonly total_usd: string;
}

/**
 * Beside these fields one with the name that was asked for by (`run`, `label:2`, …): what the calls have in common; a day
 * as `2026-01-31`, an hour as its first moment, both in UTC; null for calls that have no such thing.
 */
export interface SpendRowView extends SpendSumsView {
  readonly [by: string]: string | number | null | undefined;
  /** Of rows by endpoint, and of split ones. */
  readonly vendor?: string | null;
  /** Of the total, 0.25 for a quarter; null where nothing was spent in total. */
  readonly share: number | null;
  /** Where a projection was asked for. */
  readonly projected_month_usd?: string;
}

export interface SpendProjectionView {
  readonly method: string;
  /** The time that it rests on: 7 days, or less where the first call is younger. */
  readonly since: string;
  readonly until: string;
  readonly days: number;
  readonly spent_usd: string;
  readonly daily_mean_usd: string;
  readonly projected_month_usd: string;
}

/** An hour in which far more was spent than in those of the 30 days before it. */
export interface SpendAnomalyView {
  readonly hour: string;
  readonly spent_usd: string;
  readonly mean_usd: string;
  /** How many times the mean, rounded down to a tenth. */
  readonly factor: number;
  /** The runs that spent most in it, at most three. */
  readonly runs: readonly { readonly run: string | null; readonly total_usd: string }[];
}

export interface SpendReportView {
  readonly by: string;
  /**
   * Where retention has removed rows of the hour in which a bound falls, the bound is that hour's own: of those calls only
   * the hour's sums are left.
   */
  readonly since: string;
  /** Null where the report goes to the newest call. */
  readonly until: string | null;
  /** Days and hours by time, the newest last; everything else with the dearest first. */
  readonly rows: readonly SpendRowView[];
  readonly total: SpendSumsView;
  /** Groups, also those that `limit` has left out. */
  readonly groups: number;
  readonly truncated: boolean;
  readonly projection?: SpendProjectionView;
  readonly anomalies?: readonly SpendAnomalyView[];
}
