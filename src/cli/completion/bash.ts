import { type CommandGrammar, quoted } from "./grammar.ts";

/** For bash 3.2 (macOS) and newer: no associative arrays, no `mapfile`, no package bash-completion. */
export function bashScript(grammar: readonly CommandGrammar[]): string {
  const paths = grammar.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  return `# keybrake completion for bash: source <(keybrake completion bash)
_keybrake() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" at each
  for ((at = 1; at < COMP_CWORD; at++)); do
    each="\${path:+$path }\${COMP_WORDS[at]}"
    [ "\${COMP_WORDS[at]}" = -- ] && { COMPREPLY=(); return; }
    case "$each" in
      ${paths.join(" | ")}) path="$each" ;;
    esac
  done
  case "$path" in
${grammar.map(bashCase).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o bashdefault -o default -F _keybrake keybrake
`;
}

function bashCase({ path, commands, flags, choices }: CommandGrammar): string {
  const names = flags.flatMap(({ long, short }) => (short === undefined ? [long] : [short, long]));
  const words = [...commands.map(({ text }) => text), ...choices, ...names].join(" ");
  const valued = flags.filter(({ takesValue }) => takesValue);
  const free = valued.filter((flag) => flag.choices.length === 0).flatMap(({ long, short }) => [short ?? long, long]);
  const lines = [
    ...valued
      .filter((flag) => flag.choices.length > 0)
      .map((flag) => `        ${flag.long}) words=${quoted(flag.choices.join(" "))} ;;`),
    // Nothing of ours: bash then completes file names.
    ...(free.length > 0 ? [`        ${[...new Set(free)].join(" | ")}) return ;;`] : []),
    `        *) words=${quoted(words)} ;;`,
  ];
  return `    ${quoted(path)})\n      case "$before" in\n${lines.join("\n")}\n      esac ;;`;
}
