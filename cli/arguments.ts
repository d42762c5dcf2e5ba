import { parseArgs } from "@std/cli/parse-args";
import { printable } from "../data/printable.ts";
import { type Option, type Value, withDefaults } from "../train/options/option.ts";
import { type Command, COMMANDS } from "./flags/commands.ts";
import { ABOUT, type CommandValues, flagOf, optionsOf } from "./flags/table.ts";
import { refuseNoEffect } from "./no_effect.ts";
import { readValue, unusable } from "./option_value.ts";
import { suggestion } from "../data/suggestion.ts";

/** A command line, read. */
export interface Arguments<C extends Command> {
  /** Every option's value, defaults filled in. */
  readonly values: CommandValues<C>;
  /** Names of the options that were given, and not with --no-. */
  readonly given: ReadonlySet<string>;
  readonly positionals: readonly string[];
}

/** Flags of other tools, and why there are none of the kind here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "num-classes": "the data set says how many classes there are",
  "classes": "the data set says how many classes there are",
  "device": "the fastest GPU is taken, DENO_WEBGPU_BACKEND names another interface",
  "amp": "there are 32-bit numbers only",
  "resume": "only train, search and compare go on with a run",
};

/** All spellings of an option's flag, the first with the dashes that it takes. */
function spellings({ name, short, also = [] }: Option): string[] {
  return [flagOf(name), ...short ? [`-${short}`] : [], ...also.map((other) => `--${other}`)];
}

/** Joins `--lr -1` to `--lr=-1`, as the parser takes what begins with a dash for a flag. */
function joinNegative(args: readonly string[], valued: ReadonlySet<string>): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1);
    const negative = /^-[\d.]/.test(arg) && last !== undefined && valued.has(last);
    if (negative) joined.push(`${joined.pop()}=${arg}`);
    else joined.push(arg);
  }
  return joined;
}

function unknownFlag(command: Command, arg: string): Error {
  const [typed] = arg.split("=");
  const name = typed.replace(/^--?(no-)?/, "");
  const known = optionsOf(command).flatMap(spellings)
    .filter((flag) => flag.startsWith("--")).map((flag) => flag.slice(2));
  const why = Object.hasOwn(ELSEWHERE, name) ? `: ${ELSEWHERE[name]}` : "";
  const hint = why || suggestion(name, known, "--");
  return unusable(`${printable(typed)} is no flag of ${command}${hint}`);
}

function checkPositionals(command: Command, found: readonly string[]): void {
  const wanted: readonly string[] = COMMANDS[command].positionals;
  const needed = wanted.filter((name) => !name.startsWith("["));
  if (found.length < needed.length) {
    throw unusable(`${command} needs ${needed.slice(found.length).join(" ")}`);
  }
  if (found.length > wanted.length && !wanted.at(-1)?.endsWith("...")) {
    const takes = wanted.length ? `${wanted.join(" ")} and flags` : "flags only";
    throw unusable(`${command} takes ${takes}, found ${printable(found[wanted.length])}`);
  }
}

function refuseValues(args: readonly string[], booleans: readonly Option[]): void {
  for (const arg of args) {
    const [flag, value] = arg.split("=");
    if (value === undefined || !booleans.some(({ name }) => flagOf(name) === flag)) continue;
    const no = `--no-${flag.slice(2)}`;
    throw unusable(`${flag} takes no value, found ${printable(value)}; use ${flag} or ${no}`);
  }
}

/** The options that were typed, as text or as true or false. */
function parse(
  command: Command,
  args: readonly string[],
): { found: ReadonlyMap<Option, string | boolean>; positionals: string[] } {
  const options = optionsOf(command);
  const booleans = options.filter(({ kind }) => kind === "boolean");
  const valued = options.filter(({ kind }) => kind !== "boolean");
  refuseValues(args, booleans);
  const bare = (option: Option): string[] =>
    spellings(option).map((flag) => flag.replace(/^-+/, ""));
  const names = booleans.map((option) => bare(option)[0]);
  const read = parseArgs(joinNegative(args, new Set(valued.flatMap(spellings))), {
    boolean: names,
    negatable: names,
    string: [...valued.map((option) => bare(option)[0]), "_"],
    collect: names,
    alias: Object.fromEntries(options.map(bare).map(([name, ...others]) => [name, others])),
    unknown: (arg) => {
      if (!arg.startsWith("-") || arg === "-") return true;
      throw unknownFlag(command, arg);
    },
  });
  const found = new Map<Option, string | boolean>();
  for (const option of options) {
    const value: unknown = read[bare(option)[0]];
    if (Array.isArray(value) && value.length) found.set(option, value.at(-1) === true);
    else if (typeof value === "string") found.set(option, value);
  }
  return { found, positionals: read._.map(String) };
}

/** What was typed, read, but without defaults and unchecked as a whole. */
export interface Typed {
  readonly typed: Readonly<Record<string, Value>>;
  readonly positionals: readonly string[];
}

/** Reads the flags that follow a command. Raises a {@link UsageError} that says what is wrong. */
export function readTyped(command: Command, args: readonly string[]): Typed {
  const { found, positionals } = parse(command, args);
  const typed: Record<string, Value> = {};
  for (const [option, value] of found) {
    typed[option.name] = typeof value === "string" ? readValue(option, value) : value;
  }
  return { typed, positionals };
}

/**
 * Reads what follows a command. What is not typed is as in `known`, else the default. Raises a
 * {@link UsageError} that says what is wrong.
 */
export function readArguments<C extends Command>(
  command: C,
  args: readonly string[],
  known: Readonly<Record<string, Value>> = {},
): Arguments<C> {
  const { typed, positionals } = readTyped(command, args);
  const given = new Set(Object.keys(typed).filter((name) => typed[name] !== false));
  const values = withDefaults(optionsOf(command), { ...known, ...typed });
  if (!ABOUT.some((name) => values[name])) {
    checkPositionals(command, positionals);
    refuseNoEffect(command, given, values);
  }
  return { values: values as CommandValues<C>, given, positionals };
}
