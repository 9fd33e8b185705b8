const SPARKS = "▁▂▃▄▅▆▇█";
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const NOTHING = "·";

/** Amounts as a row of blocks, a cell each, the largest one full height; nothing, or less, is a dot. */
export function sparkline(amounts: readonly number[]): string {
  const largest = Math.max(0, ...amounts);
  return amounts
    .map((amount) => (amount <= 0 ? NOTHING : SPARKS[Math.min(7, Math.floor((amount / largest) * 8))]!))
    .join("");
}

/** A bar of at most `width` cells, in eighths of a cell; anything that is there at all shows. */
export function bar(share: number, width: number): string {
  if (share <= 0) return "";
  const eighths = Math.max(1, Math.round(Math.min(1, share) * width * 8));
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}
