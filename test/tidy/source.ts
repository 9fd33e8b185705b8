/** A file as the checks see it. `code` and `comments` have the length and lines of `text`, with the rest blanked. */
export interface Source {
  /** From the repository's root, as in `src/core/money.ts`. */
  readonly path: string;
  readonly text: string;
  /** Without comments and without what stands between quotes (the quotes stay). */
  readonly code: string;
  readonly comments: string;
}

type Part = "code" | "comment" | "quoted";

/** Splits `text` into code, comments and quoted text. Unfinished quotes end with their line, as in the text of a TSX page. */
export function readSource(path: string, text: string): Source {
  const parts = new Lexer(text).run();
  return { path, text, code: keep(text, parts, "code"), comments: keep(text, parts, "comment") };
}

function keep(text: string, parts: readonly Part[], wanted: Part): string {
  let out = "";
  for (let i = 0; i < text.length; i++) out += parts[i] === wanted || text[i] === "\n" ? text[i] : " ";
  return out;
}

/** A slash begins a regular expression after these, and divides after everything else. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{;+\-*%~^]|=>|\b(?:return|typeof|case|in|of|await|void|throw))\s*$/;

class Lexer {
  readonly #text: string;
  readonly #parts: Part[] = [];
  #at = 0;
  /** The code seen so far, with quoted text as `""`, to tell a regular expression from a division. */
  #before = "";

  constructor(text: string) {
    this.#text = text;
  }

  run(): readonly Part[] {
    this.#codeUntil(undefined);
    return this.#parts;
  }

  /** Reads code to the end, or to the brace that closes a template's `${`. */
  #codeUntil(closing: "}" | undefined): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      if (closing && char === closing && depth === 0) return;
      if (char === "{") depth += 1;
      if (char === "}") depth -= 1;
      if (!this.#special(char)) this.#take("code", 1);
    }
  }

  #special(char: string): boolean {
    const rest = this.#text.slice(this.#at, this.#at + 2);
    if (rest === "//") this.#takeTo("comment", /\n|$/g, 0);
    else if (rest === "/*") this.#takeTo("comment", /\*\/|$/g, 2);
    else if (char === '"' || char === "'") this.#quoted(char);
    else if (char === "`") this.#template();
    else if (char === "/" && this.#regexHere()) this.#quoted("/");
    else return false;
    return true;
  }

  #take(part: Part, length: number): void {
    for (let i = 0; i < length; i++) this.#parts.push(part);
    if (part === "code") this.#before = (this.#before + this.#text.slice(this.#at, this.#at + length)).slice(-40);
    this.#at += length;
  }

  #takeTo(part: Part, end: RegExp, endLength: number): void {
    end.lastIndex = this.#at + endLength;
    const found = end.exec(this.#text)!;
    this.#take(part, Math.min(found.index + endLength, this.#text.length) - this.#at);
  }

  /** A string or a regular expression: to the same unescaped mark, or to the end of the line. */
  #quoted(mark: string): void {
    this.#take("code", 1);
    let inClass = false;
    while (this.#at < this.#text.length && this.#text[this.#at] !== "\n") {
      const char = this.#text[this.#at]!;
      if (char === mark && !inClass) break;
      if (mark === "/" && (char === "[" || char === "]")) inClass = char === "[";
      this.#take("quoted", char === "\\" && this.#text[this.#at + 1] !== "\n" ? 2 : 1);
    }
    this.#takeMark(mark);
  }

  #template(): void {
    this.#take("code", 1);
    while (this.#at < this.#text.length && this.#text[this.#at] !== "`") {
      const char = this.#text[this.#at]!;
      if (char === "$" && this.#text[this.#at + 1] === "{") {
        this.#take("code", 2);
        this.#codeUntil("}");
        this.#take("code", 1);
      } else this.#take("quoted", char === "\\" ? 2 : 1);
    }
    this.#takeMark("`");
  }

  #takeMark(mark: string): void {
    if (this.#text[this.#at] === mark) this.#take("code", 1);
  }

  #regexHere(): boolean {
    if (!BEFORE_REGEX.test(this.#before)) return false;
    const line = this.#text.slice(this.#at + 1, (this.#text.indexOf("\n", this.#at) + 1 || this.#text.length + 1) - 1);
    return /^(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[])+\//.test(line);
  }
}
