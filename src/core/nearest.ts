/** How many letters may be wrong, missing or swapped before a name is no longer taken for a slip of the hand. */
function distanceMax(name: string): number {
  return name.length <= 4 ? 1 : name.length <= 8 ? 2 : Math.floor(name.length / 3);
}

/**
 * The name of `known` that `name` was probably meant to be, or undefined where none is close. Case, `-` and the
 * order of words count for nothing: `daily-cap-usd` is `daily_usd_cap`.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = plain(name.slice(0, 100));
  let best: string | undefined;
  let bestDistance = distanceMax(wanted) + 1;
  for (const candidate of known) {
    const name = plain(candidate);
    const distance = Math.min(
      editDistance(wanted, name),
      editDistance(sortedWords(wanted), sortedWords(name)),
      wordsLeftOut(wanted, name),
    );
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll("-", "_");
}

function sortedWords(name: string): string {
  return name.split("_").sort().join("_");
}

/** The words that `name` has beside all those of `wanted`, and one; `daily_cap` leaves one out of `daily_usd_cap`. */
function wordsLeftOut(wanted: string, name: string): number {
  const words = name.split("_");
  const given = wanted.split("_");
  return given.every((word) => words.includes(word)) ? words.length - given.length + 1 : Number.POSITIVE_INFINITY;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment) that lead from `a` to `b`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(row[j - 1]! + 1, previous[j]! + 1, substitution);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) distance = Math.min(distance, before[j - 2]! + 1);
      row.push(distance);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}
