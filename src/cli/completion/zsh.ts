import { type CommandGrammar, type Flag, quoted } from "./grammar.ts";

/** For zsh's own completion system (compinit); works sourced and from a folder of $fpath. */
export function zshScript(grammar: readonly CommandGrammar[]): string {
  const paths = grammar.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  return `#compdef keybrake
# keybrake completion for zsh: keybrake completion zsh > a folder of $fpath, as _keybrake
_keybrake() {
  local where="" each at
  local -a entries
  for ((at = 2; at < CURRENT; at++)); do
    [[ "\${words[at]}" == -- ]] && { _normal; return; }
    each="\${where:+$where }\${words[at]}"
    case "$each" in
      ${paths.join(" | ")}) where="$each" ;;
    esac
  done
  case "$where" in
${grammar.map(zshCase).join("\n")}
  esac
}
if [ "$funcstack[1]" = _keybrake ]; then _keybrake "$@"; else compdef _keybrake keybrake; fi
`;
}

function zshCase({ path, commands, flags, choices }: CommandGrammar): string {
  const valued = flags.filter(({ takesValue }) => takesValue);
  const entries = [
    ...commands.map(({ text, description }) => entry(text, description)),
    ...choices.map((text) => quoted(text)),
    ...flags.map((flag) => entry(flag.long, flag.description)),
  ];
  const values = valued.map((flag) => `        ${namesOf(flag)}) ${completionOf(flag)} ;;`);
  return [
    `    ${quoted(path)})`,
    '      case "$words[CURRENT-1]" in',
    ...values,
    `        *) entries=(${entries.join(" ")}); _describe keybrake entries ;;`,
    "      esac ;;",
  ].join("\n");
}

function namesOf({ long, short }: Flag): string {
  return short === undefined ? long : `${short} | ${long}`;
}

function completionOf({ choices }: Flag): string {
  return choices.length > 0 ? `compadd -- ${choices.map(quoted).join(" ")}` : "_files";
}

/** In _describe's entries a colon separates the word from its description. */
function entry(text: string, description: string): string {
  return quoted(`${text.replaceAll(":", "\\:")}:${description}`);
}
