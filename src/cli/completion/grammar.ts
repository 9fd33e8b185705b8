import type { Command, Option } from "commander";

/** One command as a shell completes it. */
export interface CommandGrammar {
  /** `key issue`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly flags: readonly Flag[];
  /** What its first argument can be, where that is a short list. */
  readonly choices: readonly string[];
}

export interface Word {
  readonly text: string;
  readonly description: string;
}

export interface Flag {
  readonly long: string;
  /** `-d`; undefined where there is none. */
  readonly short: string | undefined;
  readonly description: string;
  readonly takesValue: boolean;
  /** What its value can be; empty where that is anything. */
  readonly choices: readonly string[];
}

/** The program and every command below it, in the order of the help; a command has the program's flags too. */
export function readGrammar(program: Command): readonly CommandGrammar[] {
  const visit = (command: Command, path: string, inherited: readonly Flag[]): CommandGrammar[] => {
    const help = command.createHelp();
    const own = help.visibleOptions(command).flatMap(flagOf);
    const isGlobal = (flag: Flag) => flag.long !== "--help" && flag.long !== "--version";
    const flags = [...own, ...inherited.filter((flag) => !own.some(({ long }) => long === flag.long))];
    const grammar: CommandGrammar = {
      path,
      commands: help.visibleCommands(command).map((each) => ({ text: each.name(), description: firstClause(each) })),
      flags,
      choices: command.registeredArguments[0]?.argChoices ?? [],
    };
    const shown = help.visibleCommands(command);
    const below = command.commands
      .filter((each) => shown.includes(each))
      .flatMap((each) => visit(each, `${path} ${each.name()}`.trim(), flags.filter(isGlobal)));
    return [grammar, ...below];
  };
  return visit(program, "", []);
}

function flagOf(option: Option): Flag[] {
  if (!option.long) return [];
  return [
    {
      long: option.long,
      short: option.short ?? undefined,
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    },
  ];
}

function firstClause(command: Command): string {
  return command.description().split(/[;:]/)[0]!;
}

/** `text` in single quotes, for sh and its like. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
