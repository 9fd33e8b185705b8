/** What a section found out. */
export interface SectionResult {
  /** How much was tried: `10,000` kills. */
  readonly done: number;
  /** What should not have been, a sentence each; none where all is well. */
  readonly violations: readonly string[];
  /** Further figures for the report. */
  readonly figures: Readonly<Record<string, number | string>>;
  /** Why nothing was tried. */
  readonly skipped?: string;
}

export interface SectionOptions {
  /** How much to try, in the section's own unit. */
  readonly count: number;
  readonly seed: number;
  /** Told how much has been done. */
  readonly onProgress: (done: number) => void;
}

/** A promise of the product, and a way to attack it. */
export interface Section {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  /** What is counted: `kills`. */
  readonly unit: string;
  /** What is published with a release (`--full`); all of it, or half an hour's worth of it; and a first look (`--quick`). */
  readonly counts: { readonly full: number; readonly usual: number; readonly quick: number };
  readonly run: (options: SectionOptions) => Promise<SectionResult>;
}

export function skipped(why: string): SectionResult {
  return { done: 0, violations: [], figures: {}, skipped: why };
}
