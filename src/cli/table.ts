import type { Colour } from "./voice.ts";

/** One column of a table; the last one given may be the widest. */
export interface Column<Row> {
  readonly header: string;
  readonly text: (row: Row) => string;
  readonly align?: "left" | "right";
  /** Cells below which the column is cut only where nothing else helps; undefined where it is among the last to be cut. */
  readonly widthMin?: number;
  /** What becomes of text that is too wide. Default: its end is cut. `never` is for what people paste elsewhere. */
  readonly tooWide?: "cut-end" | "cut-middle" | "wrap" | "never";
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
      .map((text, index) => {
        const isLast = index === texts.length - 1;
        return painted(pad(text, widths[index]!, columns[index]!.align, isLast), index);
      })
      .join(GAP)
      .trimEnd();
  const head = line(
    columns.map(({ header }, index) => cut(header, widths[index]!)),
    (text) => paint(text, "dim"),
  );
  const body = rows.flatMap((row, at) => {
    const parts = cells[at]!.map((text, index) => partsOf(text, widths[index]!, columns[index]!.tooWide));
    return Array.from({ length: Math.max(...parts.map(({ length }) => length)) }, (_, nth) =>
      line(
        parts.map((part) => part[nth] ?? ""),
        (text, index) => {
          const colour = text.trim() === "" ? undefined : columns[index]!.colour?.(row);
          return colour === undefined ? text : paint(text, colour);
        },
      ),
    );
  });
  return [head, ...body];
}

/** The lines of one cell. */
function partsOf(text: string, width: number, tooWide: Column<never>["tooWide"]): readonly string[] {
  if (tooWide === "wrap") return wrap(text, width);
  return [tooWide === "cut-middle" ? cutMiddle(text, width) : cut(text, width)];
}

/** First what may be cut, down to its minimum; on a terminal that is narrower still, whatever is widest. */
function fit<Row>(columns: readonly Column<Row>[], natural: readonly number[], width: number): number[] {
  const available = width - GAP.length * (natural.length - 1);
  const minima = columns.map(({ widthMin }, index) => widthMin ?? natural[index]!);
  return narrow(
    narrow(natural, minima, available),
    columns.map(({ tooWide }, index) => (tooWide === "never" ? natural[index]! : CELLS_MIN)),
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
  const space = " ".repeat(Math.max(0, width - Bun.stringWidth(text)));
  if (align === "right") return space + text;
  return isLast ? text : text + space;
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** `text` in at most `width` terminal cells, with … where something is missing. */
export function cut(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  return `${beginning(text, width - 1)}…`;
}

/** The same with beginning and end kept: of a path, its last segment says what is done. */
export function cutMiddle(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  const tailCells = Math.floor((width - 1) / 2);
  const segments = [...graphemes.segment(text)].map(({ segment }) => segment);
  let at = segments.length;
  for (let cells = 0; at > 0; at--) {
    cells += Bun.stringWidth(segments[at - 1]!);
    if (cells > tailCells) break;
  }
  return `${beginning(text, width - 1 - tailCells)}…${segments.slice(at).join("")}`;
}

/** `text` in lines of at most `width` terminal cells, broken between words, and within one that is wider than a line. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (Bun.stringWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
    while (Bun.stringWidth(line) > width) {
      // A single character may be wider than the line.
      const part = beginning(line, width) || line;
      lines.push(part);
      line = line.slice(part.length);
    }
  }
  return line === "" && lines.length > 0 ? lines : [...lines, line];
}

/** As much of `text` as fits in `width` terminal cells. */
function beginning(text: string, width: number): string {
  let kept = "";
  let cells = 0;
  for (const { segment } of graphemes.segment(text)) {
    cells += Bun.stringWidth(segment);
    if (cells > width) break;
    kept += segment;
  }
  return kept;
}

/**
 * Text of others without what a terminal would obey: control characters (escape sequences that move the cursor or rewrite
 * lines) and those that turn the writing direction.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "�");
}
