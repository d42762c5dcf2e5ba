import { type CompletedCommand, firstWords, secondWords } from "./completed.ts";

/** The answer of choosing among words, and files where they are taken too. */
function reply(words: readonly string[], files: boolean): string {
  const kinds = [...words.length ? [`-W '${words.join(" ")}'`] : [], ...files ? ["-f"] : []];
  return kinds.length ? `mapfile -t COMPREPLY < <(compgen ${kinds.join(" ")} -- "$cur")` : ":";
}

function valueCases({ words, flags }: CompletedCommand): string[] {
  return flags.filter(({ valued }) => valued).map(({ flags, choices, files }) =>
    `    ${flags.map((flag) => `'${words.join(" ")}:${flag}'`).join("|")}) ${
      reply(choices, files)
    }; return ;;`
  );
}

/** The completions of bash. */
export function bashCompletions(commands: readonly CompletedCommand[]): string {
  const groups = firstWords(commands).filter((word) => secondWords(commands, word).length);
  const lines = [
    "# Completions of adjoin for bash: source <(adjoin completions bash)",
    "_adjoin() {",
    '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"',
    '  local command="${COMP_WORDS[1]}" first=2',
    "  COMPREPLY=()",
    `  if ((COMP_CWORD == 1)); then ${
      reply([...firstWords(commands), "--help", "--version"], false)
    }; return; fi`,
    '  case "$command" in',
    ...groups.map((word) =>
      `    ${word}) if ((COMP_CWORD == 2)); then ${
        reply(secondWords(commands, word), false)
      }; return; fi; command="$command \${COMP_WORDS[2]}"; first=3 ;;`
    ),
    `    help) ${reply(firstWords(commands), false)}; return ;;`,
    "  esac",
    '  case "$command:$prev" in',
    ...commands.flatMap(valueCases),
    "  esac",
    '  case "$command:$cur" in',
    // They would be half of all flags, and are asked for rarely.
    ...commands.map(({ words, flags }) =>
      `    '${words.join(" ")}:--no'*) ${
        reply(
          flags.flatMap(({ flags, negated = "" }) =>
            [...flags, negated].filter((flag) => flag.startsWith("--no"))
          ),
          false,
        )
      } ;;`
    ),
    ...commands.map(({ words, flags }) =>
      `    '${words.join(" ")}:-'*) ${
        reply(flags.flatMap(({ flags }) => flags.filter((flag) => flag.startsWith("--"))), false)
      } ;;`
    ),
    ...commands.map(({ words, files, choices }) =>
      `    '${words.join(" ")}:'*) ${reply(choices, files)} ;;`
    ),
    "  esac",
    "}",
    "complete -o filenames -F _adjoin adjoin",
  ];
  return lines.map((line) => `${line}\n`).join("");
}
