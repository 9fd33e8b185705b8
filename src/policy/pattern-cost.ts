/** The longest regular expression that `matches` takes, in characters. */
export const PATTERN_CHARACTERS_MAX = 200;

/** The longest value that is held against a regular expression, in characters; Stripe's metadata values have at most 500. */
export const MATCHED_VALUE_CHARACTERS_MAX = 512;

/** Ways to match that are tried at most: a millisecond or so. Two unbounded repeats fit, three do not. */
const COST_MAX = 2 * MATCHED_VALUE_CHARACTERS_MAX ** 2;

/**
 * Why `pattern` cannot be used in a policy, or undefined where it can.
 *
 * JavaScript's engine backtracks, and the agent supplies the value: `(a+)+b` against `aaaa…` would stop the proxy for
 * everyone (ReDoS, CWE-1333). So the number of ways in which the pattern can match is bounded from its text: branches
 * add up, neighbours multiply, an unbounded repeat counts once per character of the longest value.
 */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length === 0) return "is empty";
  if (pattern.length > PATTERN_CHARACTERS_MAX) {
    return `has ${pattern.length} characters; a regular expression here has at most ${PATTERN_CHARACTERS_MAX}`;
  }
  try {
    new RegExp(pattern, "u"); // also refuses `a)|(b`, which would escape the anchors that are put around it
  } catch (error) {
    return `is not a regular expression: ${(error as Error).message.replace(/^Invalid regular expression: /, "")}`;
  }
  const reader = new CostReader(pattern);
  const cost = reader.alternatives();
  if (reader.refused) return reader.refused;
  if (cost > COST_MAX) {
    return "can take too long on a hostile value (nested or repeated quantifiers); bound its repeats, as in [a-z]{1,40}";
  }
  return undefined;
}

/** Reads a pattern that is known to be well-formed; cost = an upper bound of the ways to match. */
class CostReader {
  refused: string | undefined;
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** `a|b|c`, up to the end or the closing parenthesis: the branches' costs added up. */
  alternatives(): number {
    let total = 0;
    let branch = 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== ")") {
      if (this.#text[this.#at] === "|") {
        this.#at += 1;
        total += branch;
        branch = 1;
      } else {
        branch *= this.#repeats(this.#atom());
      }
    }
    return total + branch;
  }

  /** One character, class, escape or group: the ways in which it can match by itself. */
  #atom(): number {
    const character = this.#text[this.#at]!;
    if (character === "(") return this.#group();
    if (character === "[") {
      this.#skipClass();
      return 1;
    }
    if (character === "\\") {
      const escaped = this.#text[this.#at + 1]!;
      if (/[1-9k]/.test(escaped)) this.refused ??= "has a backreference (\\1, \\k), which can take too long";
      // \u{…} and \p{…}: their braces are no quantifier.
      this.#at += /^\\[upP]\{[^}]*\}/.exec(this.#text.slice(this.#at))?.[0].length ?? 2;
      return 1;
    }
    this.#at += 1;
    return 1;
  }

  #group(): number {
    this.#at += 1;
    if (this.#text.startsWith("?:", this.#at)) this.#at += 2;
    else if (this.#text[this.#at] === "?") {
      this.refused ??= "has a group that begins with (? and is no (?:…): look-around and named groups are not taken";
      this.#at += 1;
    }
    const cost = this.alternatives();
    this.#at += 1; // the closing parenthesis
    return cost;
  }

  #skipClass(): void {
    this.#at += 1;
    while (this.#text[this.#at] !== "]") this.#at += this.#text[this.#at] === "\\" ? 2 : 1;
    this.#at += 1;
  }

  /** What a quantifier makes of an atom: the sum over every number of repeats that it takes. */
  #repeats(cost: number): number {
    const match = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/.exec(this.#text.slice(this.#at));
    if (!match) return cost;
    this.#at += match[0].length;
    const [least, most] = bounds(match);
    if (least > MATCHED_VALUE_CHARACTERS_MAX || most > MATCHED_VALUE_CHARACTERS_MAX) {
      this.refused ??= `repeats more than ${MATCHED_VALUE_CHARACTERS_MAX} times, and no longer value is looked at`;
      return 1;
    }
    let total = 0;
    for (let count = least; count <= most && total <= COST_MAX; count++) total += cost ** count;
    return Math.max(total, 1);
  }
}

function bounds(match: RegExpExecArray): [number, number] {
  const unbounded = MATCHED_VALUE_CHARACTERS_MAX;
  const sign = match[0][0];
  if (sign === "?") return [0, 1];
  if (sign === "*") return [0, unbounded];
  if (sign === "+") return [1, unbounded];
  const least = Number(match[1]);
  if (match[2] === undefined) return [least, least];
  return [least, match[3] ? Number(match[3]) : Math.max(least, unbounded)];
}
