export const LABEL_CHARACTERS_MAX = 200;

/** Why `label` cannot be a run label, or undefined where it can. Free text, but no control characters: it is printed. */
export function labelProblem(label: string): string | undefined {
  if (label.length === 0) return "a run label cannot be empty";
  if ([...label].length > LABEL_CHARACTERS_MAX) {
    return `a run label has at most ${LABEL_CHARACTERS_MAX} characters, this one has ${[...label].length}`;
  }
  if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(label)) return "a run label cannot contain control characters";
  return undefined;
}
