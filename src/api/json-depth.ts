import { Problem } from "../core/problem.ts";

/** No body of this API has a use for half of it. */
const LEVELS_MAX = 32;

/**
 * Counts brackets before anything is parsed: what walks a value level by level (the parser, a schema, a message) would run
 * out of stack on 100,000 of them, or be at it for minutes.
 * @throws Problem `invalid` for JSON that is nested deeper than anything that is asked for here.
 */
export function refuseDeepJson(text: string): void {
  let level = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (isInText) {
      if (character === BACKSLASH) at++;
      else if (character === QUOTE) isInText = false;
    } else if (character === QUOTE) isInText = true;
    else if (character === BRACKET || character === BRACE) level++;
    else if (character === BRACKET_END || character === BRACE_END) level--;
    if (level > LEVELS_MAX) throw new Problem("invalid", `the body is nested more than ${LEVELS_MAX} levels deep`);
  }
}

const [QUOTE, BACKSLASH, BRACKET, BRACKET_END, BRACE, BRACE_END] = [...'"\\[]{}'].map((one) => one.charCodeAt(0));
