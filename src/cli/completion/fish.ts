import type { CommandGrammar, Flag } from "./grammar.ts";

/** For fish 3 and newer. */
export function fishScript(grammar: readonly CommandGrammar[]): string {
  const paths = grammar.filter(({ path }) => path !== "").map(({ path }) => fishQuoted(path));
  return `# keybrake completion for fish: keybrake completion fish > ~/.config/fish/completions/keybrake.fish
function __keybrake_path
    set -l where
    for each in (commandline -opc)[2..-1]
        if contains -- (string join ' ' $where $each) ${paths.join(" ")}
            set -a where $each
        end
    end
    string join ' ' $where
end
function __keybrake_at
    test (__keybrake_path) = "$argv[1]"
end
complete -c keybrake -f
${grammar.flatMap(fishLines).join("\n")}
`;
}

function fishLines({ path, commands, flags, choices }: CommandGrammar): string[] {
  const start = `complete -c keybrake -n ${fishQuoted(`__keybrake_at ${fishQuoted(path)}`)}`;
  return [
    ...commands.map(({ text, description }) => `${start} -a ${text} -d ${fishQuoted(description)}`),
    ...(choices.length > 0 ? [`${start} -a ${fishQuoted(choices.join(" "))}`] : []),
    ...flags.map((flag) => `${start}${flagWords(flag)} -d ${fishQuoted(flag.description)}`),
  ];
}

/** -r: wants a value; -F: which may be a file; -a: which is one of these. */
function flagWords({ long, short, takesValue, choices }: Flag): string {
  const names = `${short === undefined ? "" : ` -s ${short.slice(1)}`} -l ${long.slice(2)}`;
  if (!takesValue) return names;
  return choices.length > 0 ? `${names} -x -a ${fishQuoted(choices.join(" "))}` : `${names} -r -F`;
}

/** In fish's single quotes only \\ and ' are special. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
