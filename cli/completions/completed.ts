// What shells complete, out of the tables of commands and options.
import type { Option } from "../../train/options/option.ts";
import { type Command, COMMAND_NAMES, COMMANDS } from "../flags/commands.ts";
import { ABOUT, flagOf, optionsOf } from "../flags/table.ts";

/** A flag as shells complete it. */
export interface CompletedFlag {
  /** All spellings, with dashes. */
  readonly flags: readonly string[];
  /** What takes it back where a file of options has it: `--no-detach`. */
  readonly negated?: string;
  readonly help: string;
  /** Whether a value follows. */
  readonly valued: boolean;
  /** Values to choose from. */
  readonly choices: readonly string[];
  /** Whether files or folders are values. */
  readonly files: boolean;
}

/** A command as shells complete it. */
export interface CompletedCommand {
  /** Its words: `bench conv` has two. */
  readonly words: readonly string[];
  readonly help: string;
  readonly flags: readonly CompletedFlag[];
  /** Whether files or folders follow it. */
  readonly files: boolean;
  /** Words that may follow it. */
  readonly choices: readonly string[];
}

/** The shells that there are completions for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** Places of the help that stand for paths. */
const PATHS = /^(FILE|DIR|RUN|PATH|PICTURE)/;

function flag(option: Option): CompletedFlag {
  const { name, short, also = [], help, kind } = option;
  return {
    flags: [flagOf(name), ...also.map((other) => `--${other}`), ...short ? [`-${short}`] : []],
    ...kind === "boolean" && !ABOUT.includes(name)
      ? { negated: flagOf(name).replace("--", "--no-") }
      : {},
    help,
    valued: kind !== "boolean",
    choices: "choices" in option
      ? option.choices
      : "among" in option
      ? (option.among ?? []).map(String)
      : [],
    files: (kind === "string" && PATHS.test(option.value)) ||
      (kind === "choice" && option.orFile !== undefined),
  };
}

function command(name: Command): CompletedCommand {
  const { help, positionals } = COMMANDS[name];
  const places: readonly string[] = positionals;
  return {
    words: name.split(" "),
    help,
    flags: optionsOf(name).map(flag),
    files: places.some((place) => PATHS.test(place.replace("[", ""))),
    choices: places.includes("SHELL") ? SHELLS : [],
  };
}

/** All commands as shells complete them. */
export function completedCommands(): CompletedCommand[] {
  return COMMAND_NAMES.map(command);
}

/** The first words of all commands, and `help`. */
export function firstWords(commands: readonly CompletedCommand[]): string[] {
  return [...new Set(commands.map(({ words: [first] }) => first)), "help"];
}

/** The second words of the commands that begin with a word. */
export function secondWords(commands: readonly CompletedCommand[], first: string): string[] {
  return commands.flatMap(({ words }) => words[0] === first ? words.slice(1) : []);
}
