import { Command, CommanderError } from "commander";
import { Problem } from "../core/problem.ts";
import { VERSION } from "../core/version.ts";
import type { Cli } from "./cli.ts";
import { withoutSecrets } from "./secret-words.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Commander's own ways of having answered: --help, --version, `help`. */
const ANSWERED = ["commander.helpDisplayed", "commander.version"];

/**
 * A command line without commands. All that it says goes through the voice, it never ends the process by itself, and
 * every command that is made with `.command(…)` on it does likewise.
 */
export function emptyProgram(cli: Cli): Command {
  const { voice } = cli;
  return new Command("keybrake")
    .description(
      "Puts brakes on an agent's keys: caps, endpoint rules, audit and instant revoke in front of paid APIs.",
    )
    .version(VERSION, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .option("--data <dir>", "data directory (KEYBRAKE_DATA; default: the platform's state directory)")
    .option("--policies <dir>", "templates (KEYBRAKE_POLICIES; default: ./policies, else in the data directory)")
    .option("--store <url>", "store (KEYBRAKE_STORE; default: sqlite: in the data directory)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => voice.sayRaw(text),
      writeErr: (text) => voice.noteRaw(text),
      getOutHelpWidth: () => voice.width ?? 100,
      getErrHelpWidth: () => voice.width ?? 100,
      // Said in runProgram, where the exit code is known.
      outputError: () => {},
    })
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 });
}

/**
 * Runs one command line, without the two words before the first argument.
 * @returns the exit code: 0 done, 1 refused or failed, 2 wrong usage, or what the command itself chose.
 */
export async function runProgram(program: Command, argv: readonly string[], cli: Cli): Promise<number> {
  try {
    await program.parseAsync([...argv], { from: "user" });
    return cli.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return usageExit(thrown, argv, program, cli);
    cli.voice.fail(thrown);
    return thrown instanceof Problem && thrown.code === "usage" ? EXIT_USAGE : EXIT_FAILED;
  }
}

function usageExit(thrown: CommanderError, argv: readonly string[], program: Command, cli: Cli): number {
  if (ANSWERED.includes(thrown.code)) return 0;
  // The help of a group whose verb is missing has been printed already.
  if (thrown.code === "commander.help") return thrown.exitCode === 0 ? 0 : EXIT_USAGE;
  const [message = "", suggestion] = thrown.message.replace(/^error: /, "").split("\n");
  const meant = suggestion?.replace(/^\(Did you mean (.*)\?\)$/, "did you mean $1? ") ?? "";
  cli.voice.error(withoutSecrets(message), `${meant}see \`${helpOf(argv, program)}\``);
  return EXIT_USAGE;
}

/** `keybrake key issue --help`: of the deepest command that the arguments name. */
function helpOf(argv: readonly string[], program: Command): string {
  const words = [program.name()];
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) continue;
    words.push(word);
    command = next;
  }
  return `${words.join(" ")} --help`;
}
