import { Problem } from "../core/problem.ts";

/** What comes in on stdin. */
export interface Keyboard {
  readonly isTerminal: boolean;
  /** Everything until the end of the input, at most `bytesMax`. */
  readAll(bytesMax: number): Promise<string>;
  /** One line from the terminal, which does not show what is typed. */
  readHidden(): Promise<string>;
  /** One line from the terminal, which shows what is typed. @throws Problem where the input ends before a line does. */
  readLine(): Promise<string>;
}

export const processKeyboard: Keyboard = {
  get isTerminal() {
    return process.stdin.isTTY === true;
  },
  readAll,
  readHidden,
  readLine,
};

async function readAll(bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    bytes += (chunk as Buffer).length;
    if (bytes > bytesMax) throw new Problem("invalid", `there are more than ${bytesMax} bytes on stdin`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const BACKSPACES = ["\u007f", "\b"];

/** In raw mode the terminal does not echo, and Ctrl-C is a character like others. */
function readHidden(): Promise<string> {
  const stdin = process.stdin;
  let line = "";
  return new Promise((resolve, reject) => {
    const finish = (end: () => void) => {
      stdin.off("data", take);
      stdin.setRawMode(false);
      stdin.pause();
      end();
    };
    const take = (chunk: Buffer) => {
      for (const character of chunk.toString("utf8")) {
        if (character === "\r" || character === "\n" || character === CTRL_D) return finish(() => resolve(line));
        if (character === CTRL_C) return finish(() => reject(new Problem("invalid", "nothing was set")));
        line = BACKSPACES.includes(character) ? line.slice(0, -1) : line + character;
      }
    };
    stdin.setRawMode(true);
    stdin.resume();
    stdin.on("data", take);
  });
}

/** What was typed or pasted after the line that was asked for: the next question's answer. */
let typedAhead = "";

/** The terminal's own line editing shows what is typed, and ends the program at Ctrl-C. */
function readLine(): Promise<string> {
  const stdin = process.stdin;
  return new Promise((resolve, reject) => {
    const finish = (end: () => void) => {
      stdin.off("data", take);
      stdin.off("end", ended);
      stdin.pause();
      end();
    };
    const ended = () => finish(() => reject(new Problem("invalid", "the input ended before the last question")));
    const take = (chunk: Buffer | string) => {
      const [line = "", ...rest] = (typedAhead + chunk.toString()).split("\n");
      if (rest.length === 0) {
        typedAhead = line;
        return;
      }
      typedAhead = rest.join("\n");
      finish(() => resolve(line.replace(/\r$/, "")));
    };
    stdin.on("end", ended);
    stdin.on("data", take);
    stdin.resume();
    if (typedAhead.includes("\n")) take("");
  });
}
