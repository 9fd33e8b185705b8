import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { version } from "../../package.json";
import type { DiskFigures } from "./disk.ts";
import type { Row, Section, Table, Target } from "./section.ts";
import type { Sizes } from "./sizes.ts";

export const RESULTS = join(import.meta.dir, "results.json");

/** A section as it is kept: what it found, or why it failed. */
export interface SectionResult {
  readonly title: string;
  readonly seconds: number;
  readonly rows: readonly Row[];
  readonly tables: readonly Table[];
  readonly sizes: Sizes;
  readonly failed?: string;
  /** Set where the sizes were too small for the figures to mean much. */
  readonly quick?: true;
}

export interface Results {
  readonly keybrake: string;
  readonly bun: string;
  readonly machine: {
    readonly cores: number;
    readonly model: string;
    readonly memory_gb: number;
    readonly platform: string;
    /** Of the last run. */
    readonly disk: DiskFigures;
  };
  readonly sections: Readonly<Record<string, SectionResult>>;
}

/** Writes what was measured; sections that were not run keep what they had. */
export function writeResults(measured: ReadonlyMap<Section, SectionResult>, disk: DiskFigures, path: string): void {
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Partial<Results>) : {};
  const now = Object.fromEntries([...measured].map(([{ name }, result]) => [name, result]));
  const results: Results = {
    keybrake: version,
    bun: Bun.version,
    machine: {
      cores: cpus().length,
      model: cpus()[0]?.model ?? "unknown",
      memory_gb: Math.round(totalmem() / 1e9),
      platform: process.platform,
      disk,
    },
    sections: { ...before.sections, ...now },
  };
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
}

/** For the terminal: every section's rows, with its tables under them. */
export function reportText(results: readonly SectionResult[]): string {
  return results.flatMap(sectionLines).join("\n");
}

const LONG_TABLE_ROWS = 20;

function sectionLines({ title, seconds, rows, tables, failed }: SectionResult): string[] {
  const lines = [`${title} (${Math.round(seconds)} s)`];
  if (failed !== undefined) lines.push(`  FAILED: ${failed}`);
  lines.push(...aligned(rows.map((row) => [row.measure, figureText(row), targetText(row.target), verdict(row)])));
  for (const { note } of rows) if (note !== undefined) lines.push(`    ${note}`);
  // Samples over time are in the file; here they would only scroll.
  for (const table of tables.filter((each) => each.rows.length <= LONG_TABLE_ROWS)) {
    const shown = table.rows.map((row) => row.map((value) => (value === null ? "-" : numberText(value))));
    lines.push("", ...aligned([[...table.columns], ...shown]));
  }
  return [...lines, ""];
}

/** The first column to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!)));
    return `  ${cells.join("  ")}`.trimEnd();
  });
}

/** `0.42 ×`, `18,204 requests/s`; a dash where there is none. */
export function figureText({ figure, unit }: Row): string {
  return figure === null ? "-" : `${numberText(figure)} ${unit}`;
}

/** `≤ 2`, without the unit, which stands with the figure. */
export function targetText(target: Target | null): string {
  return target === null ? "" : `${target.relation === "at_most" ? "≤" : "≥"} ${numberText(target.value)}`;
}

function verdict({ figure, reached, target }: Row): string {
  if (figure === null) return "left out";
  return target === null ? "" : reached ? "reached" : "NOT REACHED";
}

export function numberText(value: number | string): string {
  return typeof value === "number" ? value.toLocaleString("en-US", { maximumFractionDigits: 3 }) : value;
}
