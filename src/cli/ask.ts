import { Problem } from "../core/problem.ts";
import type { Cli } from "./cli.ts";

/**
 * Goes on only after a `yes`: said with the flag, or typed at the terminal.
 * @throws Problem where it was not given; nothing has been changed then.
 */
export async function askYes({ keyboard, voice }: Cli, question: string, isSaid: boolean): Promise<void> {
  if (isSaid) return;
  if (!keyboard.isTerminal) {
    throw new Problem("usage", "this asks for a yes, and stdin is no terminal", "read what it says, then add --yes");
  }
  voice.noteRaw(`${question} Type yes (it is not shown): `);
  const typed = await keyboard.readHidden();
  voice.noteRaw("\n");
  if (typed.trim().toLowerCase() === "yes") return;
  throw new Problem("invalid", "nothing was changed", "type yes, the whole word, or use --yes");
}

/** One line that answers `question`; `otherwise` where nothing is typed, which the question then shows. */
export async function askLine({ keyboard, voice }: Cli, question: string, otherwise = ""): Promise<string> {
  voice.noteRaw(otherwise === "" ? `${question}: ` : `${question} [${otherwise}]: `);
  const typed = (await keyboard.readLine()).trim();
  return typed === "" ? otherwise : typed;
}
