import type { Command, Option } from "commander";
import { inlineCode, type Page } from "./page.ts";

const OURS = /(?:^|\$\()(?:dist\/)?(keybrake .*)$/;

function ours(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => OURS.exec(line)?.[1] ?? []);
}

/** `keybrake …` as it is typed in shell blocks; in consoles after `$ `. */
export function typedLines({ blocks }: Page): readonly string[] {
  const lines = blocks.flatMap(({ language, text }) => {
    const whole = text.replaceAll(/\\\n\s*/g, "").split("\n");
    if (language === "console") return whole.flatMap((line) => (line.startsWith("$ ") ? [line.slice(2)] : []));
    return language === "sh" ? whole : [];
  });
  return ours(lines);
}

/** `keybrake …` as it stands in backticks, where a command's bare name will do. */
export function mentionedLines({ prose }: Page): readonly string[] {
  return ours(inlineCode(prose));
}

/** Whether `words` are the name of a command and nothing else. */
export function isName(program: Command, words: readonly string[]): boolean {
  let command: Command | undefined = program;
  for (const word of words) command = command?.commands.find((each) => each.name() === word);
  return command !== undefined;
}

/** The words of a line as a shell would split them, without a comment, a redirection or the end of a substitution. */
export function wordsOf(line: string): readonly string[] {
  const bare = line
    .replace(/ +#.*$/, "")
    .replace(/ [<>|].*$/, "")
    .replace(/\)$/, "");
  return [...bare.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, word]) => single ?? double ?? word!);
}

/** Why `words` (without `keybrake`) is no command line of `program`; undefined where it is one. */
export function usageProblem(program: Command, words: readonly string[]): string | undefined {
  let command = program;
  let isRest = false;
  const given = new Set<Option>();
  const args: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (!isRest && word === "--") isRest = true;
    else if (!isRest && word.startsWith("-")) {
      const [flag = "", value] = word.split("=", 2);
      const option = optionOf(command, flag);
      if (!option) return `"${command.name()}" has no flag ${flag}`;
      given.add(option);
      if (!option.required || value !== undefined) continue;
      index += 1;
      const problem = valueProblem(option, words[index]);
      if (problem) return problem;
    } else {
      const verb = args.length === 0 && !isRest ? command.commands.find((each) => each.name() === word) : undefined;
      if (!verb && isGroup(command)) return `there is no command ${word}`;
      if (verb) command = verb;
      else args.push(word);
    }
  }
  return argumentProblem(command, args) ?? missingFlag(command, given);
}

function optionOf(command: Command | null, flag: string): Option | undefined {
  if (command === null) return undefined;
  return command.options.find(({ long, short }) => flag === long || flag === short) ?? optionOf(command.parent, flag);
}

function valueProblem({ long, argChoices }: Option, value: string | undefined): string | undefined {
  if (value === undefined) return `${long} has no value`;
  return argChoices && !argChoices.includes(value) ? `${long} is not one of ${argChoices.join(", ")}` : undefined;
}

function argumentProblem(command: Command, args: readonly string[]): string | undefined {
  if (isGroup(command)) return `"${command.name()}" needs a verb`;
  const { registeredArguments: wanted } = command;
  const most = wanted.some(({ variadic }) => variadic) ? Number.POSITIVE_INFINITY : wanted.length;
  const least = wanted.filter(({ required }) => required).length;
  if (args.length >= least && args.length <= most) return undefined;
  return `"${command.name()}" takes ${least} to ${most} arguments, not ${args.length}`;
}

function missingFlag(command: Command, given: ReadonlySet<Option>): string | undefined {
  const missing = command.options.find((option) => option.mandatory && !given.has(option));
  return missing && `"${command.name()}" needs ${missing.long}`;
}

/** The program and the nouns; `brake` has a verb and does something without it. */
function isGroup({ commands, parent, options }: Command): boolean {
  return commands.length > 0 && (parent === null || options.length === 0);
}
