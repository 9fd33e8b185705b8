import type { Environment } from "../config.ts";
import { Problem } from "../core/problem.ts";
import { type Column, layOut, printable } from "./table.ts";

/** The part of a stream that is written to. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Characters in a line of the terminal. */
  readonly columns?: number | undefined;
}

export type Colour = "red" | "green" | "yellow" | "dim" | "bold";

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  dim: [2, 22],
  bold: [1, 22],
};

/**
 * The one that speaks: answers go to stdout, and what is said beside them (errors, hints, warnings, progress) to stderr,
 * so that stdout can be piped. Colours only on a terminal, and never with NO_COLOR (no-color.org).
 */
export class Voice {
  readonly #out: Sink;
  readonly #err: Sink;
  readonly #environment: Environment;

  constructor(out: Sink, err: Sink, environment: Environment) {
    this.#out = out;
    this.#err = err;
    this.#environment = environment;
  }

  /** Characters that a line of the answer may have; undefined where stdout is no terminal and nothing is cut. */
  get width(): number | undefined {
    // A terminal that nobody has sized (a container's, a CI's) says 0.
    return this.#out.isTTY ? this.#out.columns || 80 : undefined;
  }

  /** Text of the answer, one line or several. */
  say(text: string): void {
    this.#out.write(`${text}\n`);
  }

  /** Text as it is, with its own line ends: help, CSV. */
  sayRaw(text: string): void {
    this.#out.write(text);
  }

  /** One JSON value, as `--json` prints it. */
  sayJson(value: unknown): void {
    this.#out.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** A table; where there are no rows, `nothing` beside the answer. */
  sayTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], nothing: string): void {
    if (rows.length === 0) {
      this.note(nothing);
      return;
    }
    const paint = (text: string, colour: Colour) => this.paint(text, colour);
    for (const line of layOut(columns, rows, this.width, paint)) this.say(line);
  }

  /** Something worth knowing beside the answer. */
  note(text: string): void {
    this.#err.write(`keybrake: ${printable(text)}\n`);
  }

  /** A line on a terminal that the next one takes the place of; false where stderr is none, and nothing was said. */
  noteOver(text: string): boolean {
    if (!this.#err.isTTY) return false;
    this.#err.write(`\r\u001b[K${printable(text)}`);
    return true;
  }

  /** Text for people beside the answer, without a prefix. */
  noteRaw(text: string): void {
    this.#err.write(text);
  }

  warn(text: string): void {
    this.#err.write(`keybrake: ${this.#onErr("warning:", "yellow")} ${printable(text)}\n`);
  }

  error(message: string, hint?: string): void {
    this.#err.write(`keybrake: ${this.#onErr("error:", "red")} ${oneLine(message)}\n`);
    if (hint) this.#err.write(`keybrake: ${this.#onErr("hint:", "bold")} ${oneLine(hint)}\n`);
  }

  /** Says what was thrown. A defect is named as one; its trace is not for the terminal. */
  fail(thrown: unknown): void {
    if (thrown instanceof Problem) {
      this.error(thrown.message, thrown.hint);
      return;
    }
    const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    this.error(
      `internal error: ${text}`,
      "this is a defect of keybrake; please report it with the command that you ran",
    );
  }

  /** Text for `noteRaw` that should be found at a glance. */
  bright(text: string): string {
    return this.#onErr(text, "bold");
  }

  /** Text for `noteRaw` that must not be overlooked. */
  alert(text: string): string {
    return this.#onErr(text, "yellow");
  }

  /** Text for the answer, coloured where the answer goes to a terminal. */
  paint(text: string, colour: Colour): string {
    return this.#painted(text, colour, this.#out);
  }

  #onErr(text: string, colour: Colour): string {
    return this.#painted(text, colour, this.#err);
  }

  #painted(text: string, colour: Colour, sink: Sink): string {
    if (!sink.isTTY || this.#environment["NO_COLOR"] || this.#environment["TERM"] === "dumb") return text;
    const [on, off] = CODES[colour];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  }
}

/** An error is one line, so that a log's reader sees where it ends. */
function oneLine(text: string): string {
  return printable(text.replace(/\s*\n\s*/g, "; "));
}

/** The voice of this process. A reader that has left (`keybrake audit | head`) ends the program without a complaint. */
export function processVoice(environment: Environment): Voice {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
  });
  return new Voice(process.stdout, process.stderr, environment);
}
