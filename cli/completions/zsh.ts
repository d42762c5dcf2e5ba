import { type CompletedCommand, type CompletedFlag, firstWords, secondWords } from "./completed.ts";

/** Text between single quotes, in which brackets and colons mean something to zsh. */
function escaped(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, "\\$&").replaceAll("'", "'\\''");
}

/** A flag as `_arguments` takes it; one that may be given in several spellings has a line each. */
function specs({ flags, negated, help, valued, choices, files }: CompletedFlag): string[] {
  const values = choices.length && files
    ? `{_alternative "choices:choice:(${choices.join(" ")})" "files:file:_files"}`
    : choices.length
    ? `(${choices.join(" ")})`
    : files
    ? "_files"
    : " ";
  const value = valued ? `:value:${values}` : "";
  return [
    ...flags.map((flag) => `'${flag}[${escaped(help)}]${value}'`),
    ...negated === undefined ? [] : [`'${negated}[${escaped(`not: ${help}`)}]'`],
  ];
}

function body({ flags, files, choices }: CompletedCommand): string {
  const rest = choices.length
    ? [`'1:word:(${choices.join(" ")})'`]
    : files
    ? ["'*:file:_files'"]
    : [];
  return ["_arguments", ...flags.flatMap(specs), ...rest].join(" \\\n        ");
}

function described(commands: readonly CompletedCommand[], word: string): string {
  const own = commands.filter(({ words }) => words[0] === word);
  const help = own.length === 1 ? own[0].help : `one of ${secondWords(commands, word).join(", ")}`;
  return `'${word}:${escaped(own.length ? help : "print the flags of a command")}'`;
}

/** The completions of zsh. */
export function zshCompletions(commands: readonly CompletedCommand[]): string {
  const names = firstWords(commands);
  const cases = names.flatMap((word) => {
    const own = commands.filter(({ words }) => words[0] === word);
    const seconds = secondWords(commands, word);
    if (word === "help") return [`    help) _values command ${names.join(" ")} ;;`];
    if (!seconds.length) {
      return [`    ${word})\n      shift words; (( CURRENT-- ))\n      ${body(own[0])} ;;`];
    }
    return [
      `    ${word})`,
      `      if (( CURRENT == 3 )); then _values command ${seconds.join(" ")}; return; fi`,
      '      local second="$words[3]"; shift 2 words; (( CURRENT -= 2 ))',
      '      case "$second" in',
      ...own.map((command) => `      ${command.words[1]}) ${body(command)} ;;`),
      "      esac ;;",
    ];
  });
  const lines = [
    "#compdef adjoin",
    "# Completions of adjoin for zsh: into a file _adjoin in a folder of $fpath",
    "_adjoin() {",
    "  if (( CURRENT == 2 )); then",
    `    local -a names=(${names.map((word) => described(commands, word)).join(" ")})`,
    "    _describe command names; return",
    "  fi",
    '  case "$words[2]" in',
    ...cases,
    "  esac",
    "}",
    'if [ "$funcstack[1]" = "_adjoin" ]; then _adjoin "$@"; else compdef _adjoin adjoin; fi',
  ];
  return lines.map((line) => `${line}\n`).join("");
}
