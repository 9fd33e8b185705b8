import type { Section, SectionResult } from "./section.ts";

export interface Finished {
  readonly section: Section;
  readonly seed: number;
  readonly seconds: number;
  readonly result: SectionResult;
}

export interface ProgressLine {
  show(done: number): void;
  end(): void;
}

const SHOW_EVERY_MS = 250;

/** One line that is written over on a terminal; elsewhere a line when the section begins. */
export function progressLine(section: Section, count: number): ProgressLine {
  const total = count.toLocaleString("en-US");
  if (!process.stderr.isTTY) {
    console.error(`${section.name}: ${total} ${section.unit}`);
    return { show: () => {}, end: () => {} };
  }
  const beganMs = performance.now();
  let shownMs = Number.NEGATIVE_INFINITY;
  const write = (text: string) => process.stderr.write(`\r\x1b[2K${text}`);
  return {
    show: (done) => {
      const nowMs = performance.now();
      if (nowMs - shownMs < SHOW_EVERY_MS) return;
      shownMs = nowMs;
      const perMinute = Math.round((done / (nowMs - beganMs)) * 60_000).toLocaleString("en-US");
      write(`${section.name}: ${done.toLocaleString("en-US")} of ${total} ${section.unit}, ${perMinute} a minute`);
    },
    end: () => write(""),
  };
}

const VIOLATIONS_SHOWN = 10;

/** A line per section, what it found under it. */
export function tableOf(finished: readonly Finished[]): string {
  const rows = finished.map(({ section, seed, seconds, result }) => [
    section.title,
    result.skipped === undefined ? `${result.done.toLocaleString("en-US")} ${section.unit}` : "skipped",
    result.skipped ?? `${result.violations.length} violations`,
    `seed ${seed}`,
    `${seconds} s`,
  ]);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
  return finished
    .flatMap(({ result }, index) => [
      rows[index]!.map((text, column) => text.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
      ...Object.entries(result.figures).map(([name, value]) => `    ${name.replaceAll("_", " ")}: ${shown(value)}`),
      ...result.violations.slice(0, VIOLATIONS_SHOWN).map((text) => `    VIOLATION: ${text}`),
    ])
    .join("\n");
}

function shown(value: number | string): string {
  return typeof value === "number" ? value.toLocaleString("en-US") : value;
}
