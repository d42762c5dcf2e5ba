import { EXIT } from "./exit.ts";
import type { Option } from "../train/options/option.ts";
import type { Example } from "./flags/command.ts";
import { type Command, COMMAND_NAMES, COMMANDS } from "./flags/commands.ts";
import { defaultWords } from "./flags/default_words.ts";
import { flagOf, optionsOf, sectionsOf } from "./flags/table.ts";
import { choiceFlags } from "./no_effect.ts";
import { SIGNALS } from "./run/interrupt.ts";
import { columns, either, wrap } from "./text.ts";

const WIDTH = 96;

const EXIT_HELP: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "done",
  unexpected: "an error that should not happen; ADJOIN_DEBUG=1 shows where",
  usage: "a flag or output that cannot be used, a permission Deno lacks",
  data: "data that are missing or cannot be read",
  gpu: "no GPU, or one that failed",
  diverged: "a loss or a weight was no longer a number, or a search diverged",
  verification: "a result that is not equal to what it has to equal, or worse than allowed",
  timeUp: "the time of --time-limit is up; --resume goes on",
};

/** The flag of an option with a place for its value, as `-e, --epochs N`. */
function spelling(option: Option): string {
  const places = {
    boolean: "",
    string: "",
    choice: " NAME",
    choices: " NAMES",
    number: " X",
    integer: " N",
    numbers: " LIST",
  };
  const value = option.kind === "string" ? ` ${option.value}` : places[option.kind];
  return `${option.short ? `-${option.short}, ` : "    "}${flagOf(option.name)}${value}`;
}

function explanation(option: Option, command: Command): string {
  const file = option.kind === "choice" && option.orFile ? `, FILE${option.orFile}` : "";
  const choices = "choices" in option ? `: ${option.choices.join(", ")}${file}` : "";
  const beside = [
    ...option.idle?.flatMap((choices) => choiceFlags(command, choices) ?? []) ?? [],
    ...optionsOf(command).flatMap(({ name }) => option.beside?.includes(name) ? flagOf(name) : []),
  ];
  const defaults = defaultWords(option, command);
  const notes = [
    ...option.also ? [`also ${option.also.map((name) => `--${name}`).join(", ")}`] : [],
    ...Object.entries(option.only ?? {}).map(([key, names]) =>
      `with ${flagOf(key)} ${names.join(", ")}`
    ),
    ...option.needs === undefined ? [] : [`with ${either(option.needs.map(flagOf))}`],
    ...beside.length ? [`not with ${either(beside)}`] : [],
    ...defaults === undefined ? [] : [`default: ${defaults}`],
  ];
  return option.help + choices + (notes.length ? ` (${notes.join("; ")})` : "");
}

/** A heading and, below it, names with what they mean, indented. */
function list(title: string, rows: readonly (readonly [string, string])[], left: number): string {
  const lines = rows.flatMap(([name, text]) =>
    wrap(text, WIDTH - left - 4).map((line, i) => [i ? "" : name.padEnd(left), line])
  );
  return [`${title}:`, ...columns(lines, [0, 1]).map((line) => `  ${line}`)].join("\n");
}

function exitCodes(): string {
  const rows = Object.entries(EXIT).map(([key, code]): [string, string] => [
    String(code),
    EXIT_HELP[key as keyof typeof EXIT],
  ]);
  const signals = SIGNALS.map(({ code, words }): [string, string] => [String(code), words]);
  return list("exit codes", [...rows, ...signals], 3);
}

/** Command lines to begin with, each below what it does. */
function exampleLines(examples: readonly Example[]): string {
  return [
    "examples:",
    ...examples.map(([line, does]) => `  # ${does}\n  adjoin ${line}`),
  ].join("\n");
}

/** Flags that there is no reason to negate. */
const ABOUT_ALL: readonly string[] = ["help", "version"];

/** The help of a subcommand: every flag with its default, the exit codes, and examples. */
export function commandHelp(command: Command): string {
  const { help, positionals, examples } = COMMANDS[command];
  const rows = sectionsOf(command).map(({ title, options }) => ({
    title,
    negated: options.some(({ name, kind }) => kind === "boolean" && !ABOUT_ALL.includes(name)),
    rows: options.map((option): [string, string] => [
      spelling(option),
      explanation(option, command),
    ]),
  }));
  const left = Math.max(...rows.flatMap(({ rows }) => rows.map(([name]) => name.length)));
  return [
    `adjoin ${[command, ...positionals, "[flags]"].join(" ")}: ${help}`,
    ...rows.map(({ title, rows }) => list(title, rows, left)),
    ...rows.some(({ negated }) => negated)
      ? ["Flags without a value also have the form --no-NAME."]
      : [],
    exitCodes(),
    exampleLines(examples),
  ].join("\n\n") + "\n";
}

/** Names of commands with what they do. */
function commandRows(names: readonly Command[]): [string, string][] {
  return names.map((name) => {
    const { help, positionals } = COMMANDS[name];
    return [[name, ...positionals].join(" "), help];
  });
}

const ABOUT: readonly (readonly [string, string])[] = [
  ["help COMMAND", "print the flags of a command, as COMMAND --help does"],
  ["--version", "print the version"],
];

/** The help on all commands. */
export function generalHelp(): string {
  return [
    "adjoin COMMAND [flags]: trains a network and its compressed twin together on shared weights",
    list("commands", [...commandRows(COMMAND_NAMES), ...ABOUT], 12),
    exitCodes(),
  ].join("\n\n") + "\n";
}

/** The help on the commands that begin with a word. */
export function groupHelp(group: string): string {
  const names = COMMAND_NAMES.filter((name) => name.startsWith(`${group} `));
  return [
    `adjoin ${group} takes one of these words more, and its flags`,
    list("commands", [...commandRows(names), ...ABOUT], 12),
    exitCodes(),
  ].join("\n\n") + "\n";
}
