import type { Sizes } from "./sizes.ts";

/** What a figure has to be. */
export interface Target {
  readonly relation: "at_most" | "at_least";
  readonly value: number;
}

/** One measure of docs and README: what it came to, beside what it should. */
export interface Row {
  readonly measure: string;
  /** Null where it could not be measured; `note` says why. */
  readonly figure: number | null;
  readonly unit: string;
  /** Null for a figure that stands beside one with a target. */
  readonly target: Target | null;
  /** Null where there is no target, or no figure. */
  readonly reached: boolean | null;
  readonly note?: string;
}

/** Figures behind the rows, for reading: the first column is a name. */
export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

export interface Findings {
  readonly rows: readonly Row[];
  readonly tables?: readonly Table[];
  /** Parts that could not be measured, a sentence each; the other parts stand. */
  readonly failures?: readonly string[];
}

/** What a section works with. */
export interface Context {
  readonly sizes: Sizes;
  /** A directory of the section's own; it goes when the section ends. */
  readonly directory: string;
  /** Where databases that take minutes to make are kept for the next run; undefined where they are not. */
  readonly cacheDirectory: string | undefined;
  /** Progress, for whoever waits. */
  readonly say: (text: string) => void;
}

export interface Section {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  readonly run: (context: Context) => Promise<Findings>;
}

export const atMost = (value: number): Target => ({ relation: "at_most", value });
export const atLeast = (value: number): Target => ({ relation: "at_least", value });

/** A measured row, rounded to three decimals; it is judged by what is shown. */
export function measured(
  measure: string,
  figure: number,
  unit: string,
  target: Target | null = null,
  note?: string,
): Row {
  const shown = round(figure);
  const reached = target && (target.relation === "at_most" ? shown <= target.value : shown >= target.value);
  return { measure, figure: shown, unit, target, reached, ...(note === undefined ? {} : { note }) };
}

/** A row without a figure, with the reason. */
export function leftOut(measure: string, unit: string, target: Target | null, note: string): Row {
  return { measure, figure: null, unit, target, reached: null, note };
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** @throws Error where there is nothing to take it of. */
export function median(figures: readonly number[]): number {
  return percentile(figures, 50);
}

/** The nearest-rank percentile; `percent` from 0 to 100. */
export function percentile(figures: readonly number[], percent: number): number {
  if (figures.length === 0) throw new Error("there is no percentile of nothing");
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))]!;
}
