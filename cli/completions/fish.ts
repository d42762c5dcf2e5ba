import { type CompletedCommand, type CompletedFlag, firstWords, secondWords } from "./completed.ts";

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** When a command was typed. */
function seen(words: readonly string[]): string {
  return words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
}

function flagLines(
  when: string,
  { flags, negated, help, valued, choices, files }: CompletedFlag,
): string[] {
  const names = flags.map((flag) =>
    flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag[1]}`
  );
  const values = [
    ...valued ? [files ? "-r -F" : "-x"] : [],
    ...choices.length ? [`-a ${quoted(choices.join(" "))}`] : [],
  ];
  const line = (names: readonly string[], words: string): string =>
    ["complete -c adjoin -n", quoted(when), ...names, ...values, "-d", quoted(words)].join(" ");
  return [
    line(names, help),
    ...negated === undefined ? [] : [line([`-l ${negated.slice(2)}`], `not: ${help}`)],
  ];
}

/** The completions of fish. */
export function fishCompletions(commands: readonly CompletedCommand[]): string {
  const first = firstWords(commands);
  const lines = [
    "# Completions of adjoin for fish: into ~/.config/fish/completions/adjoin.fish",
    "complete -c adjoin -f",
    ...first.map((word) => {
      const own = commands.filter(({ words }) => words[0] === word);
      const seconds = secondWords(commands, word);
      const help = seconds.length
        ? seconds.join(", ")
        : own[0]?.help ?? "print the flags of a command";
      return `complete -c adjoin -n __fish_use_subcommand -a ${word} -d ${quoted(help)}`;
    }),
    `complete -c adjoin -n ${quoted(seen(["help"]))} -a ${quoted(first.join(" "))}`,
    ...first.flatMap((word) => {
      const seconds = secondWords(commands, word);
      if (!seconds.length) return [];
      const when = `${seen([word])}; and not __fish_seen_subcommand_from ${seconds.join(" ")}`;
      return [`complete -c adjoin -n ${quoted(when)} -a ${quoted(seconds.join(" "))}`];
    }),
    ...commands.flatMap((command) => {
      const when = seen(command.words);
      return [
        ...command.files ? [`complete -c adjoin -n ${quoted(when)} -F`] : [],
        ...command.choices.length
          ? [`complete -c adjoin -n ${quoted(when)} -a ${quoted(command.choices.join(" "))}`]
          : [],
        ...command.flags.flatMap((flag) => flagLines(when, flag)),
      ];
    }),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
