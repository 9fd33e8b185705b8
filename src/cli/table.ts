import type { Colour } from "./voice.ts";

/** One column of a table; the last one given may be the widest. */
export interface Column<Row> {
  readonly header: string;
  readonly text: (row: Row) => string;
  readonly align?: "left" | "right";
  /** Cells below which the column is cut only where nothing else helps; undefined where it is among the last to be cut. */
  readonly widthMin?: number;
  readonly colour?: (row: Row) => Colour | undefined;
}

export type Painter = (text: string, colour: Colour) => string;

const GAP = "  ";
const CELLS_MIN = 3;
const UNPAINTED: Painter = (text) => text;

/**
 * The lines of a table, headers first. With a `width` (in terminal cells) the widest columns that may be cut are cut until
 * every line fits; without one nothing is cut, so that a pipe gets the whole text.
 */
export function layOut<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number | undefined,
  paint: Painter = UNPAINTED,
): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.text(row))));
  const natural = columns.map(({ header }, index) =>
    Math.max(Bun.stringWidth(header), ...cells.map((line) => Bun.stringWidth(line[index]!))),
  );
  const widths = width === undefined ? natural : fit(columns, natural, width);
  const line = (texts: readonly string[], painted: (text: string, index: number) => string) =>
    texts
      .map((text, index) =>
        painted(pad(text, widths[index]!, columns[index]!.align, index === texts.length - 1), index),
      )
      .join(GAP)
      .trimEnd();
  const head = line(
    columns.map(({ header }) => header),
    (text) => paint(text, "dim"),
  );
  const body = rows.map((row, at) =>
    line(cells[at]!, (text, index) => {
      const colour = columns[index]!.colour?.(row);
      return colour === undefined ? text : paint(text, colour);
    }),
  );
  return [head, ...body];
}

/** First what may be cut, down to its minimum; on a terminal that is narrower still, whatever is widest. */
function fit<Row>(columns: readonly Column<Row>[], natural: readonly number[], width: number): number[] {
  const available = width - GAP.length * (natural.length - 1);
  const minima = columns.map(({ widthMin }, index) => widthMin ?? natural[index]!);
  return narrow(
    narrow(natural, minima, available),
    minima.map(() => CELLS_MIN),
    available,
  );
}

/** Takes one cell of the widest column that is above its minimum, until the sum is `available` or nothing can be taken. */
function narrow(natural: readonly number[], minima: readonly number[], available: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, each) => sum + each, 0) - available;
  while (excess > 0) {
    let widest: number | undefined;
    for (const [index, each] of widths.entries()) {
      if (each > minima[index]! && (widest === undefined || each > widths[widest]!)) widest = index;
    }
    if (widest === undefined) return widths;
    widths[widest]! -= 1;
    excess -= 1;
  }
  return widths;
}

function pad(text: string, width: number, align: "left" | "right" = "left", isLast: boolean): string {
  const fitting = cut(text, width);
  const space = " ".repeat(Math.max(0, width - Bun.stringWidth(fitting)));
  if (align === "right") return space + fitting;
  return isLast ? fitting : fitting + space;
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** `text` in at most `width` terminal cells, with … where something is missing. */
export function cut(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  let kept = "";
  let cells = 1; // the …
  for (const { segment } of graphemes.segment(text)) {
    cells += Bun.stringWidth(segment);
    if (cells > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

/**
 * Text of others without what a terminal would obey: control characters (escape sequences that move the cursor or rewrite
 * lines) and those that turn the writing direction.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "�");
}
