import { Argument, type Command } from "commander";
import { type Cli, withExamples } from "./cli.ts";
import { bashScript } from "./completion/bash.ts";
import { fishScript } from "./completion/fish.ts";
import { readGrammar } from "./completion/grammar.ts";
import { zshScript } from "./completion/zsh.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof SCRIPTS;

/** `keybrake completion SHELL`: derived from the program itself, so that no list can go out of date. */
export function addCompletionCommand(program: Command, cli: Cli): void {
  const command = program
    .command("completion")
    .description("print the completion script of a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SCRIPTS)))
    .action((shell: Shell) => cli.voice.sayRaw(SCRIPTS[shell](readGrammar(program))));
  withExamples(command, [
    "source <(keybrake completion bash)",
    "keybrake completion zsh > ~/.zfunc/_keybrake",
    "keybrake completion fish > ~/.config/fish/completions/keybrake.fish",
  ]);
}
