import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "../train/errors.ts";
import { type Command, COMMANDS, type Flag, type Section } from "./flags/flag.ts";
import { SECTIONS } from "./flags/flags.ts";
import { either } from "./text.ts";

type Table = typeof SECTIONS[number];

type SectionOf<C extends Command, S = Table> = S extends { readonly commands: readonly (infer D)[] }
  ? C extends D ? S : never
  : never;

type FlagOf<C extends Command, S = SectionOf<C>> = S extends
  { readonly flags: readonly (infer F)[] } ? F : never;

type ValueOf<F> = F extends { readonly kind: "boolean" } ? boolean
  : F extends { readonly kind: "number" | "integer" } ? number
  : F extends { readonly choices: readonly (infer Choice)[] } ? Choice
  : string;

type NameOf<F> = F extends { readonly name: infer N extends string } ? N : never;

type Certain<F> = Extract<F, { readonly default: unknown } | { readonly kind: "boolean" }>;

/** The values of the flags of a subcommand by name; what has no default may be missing. */
export type Values<C extends Command> =
  & { readonly [F in Certain<FlagOf<C>> as NameOf<F>]: ValueOf<F> }
  & {
    readonly [F in Exclude<FlagOf<C>, Certain<FlagOf<C>>> as NameOf<F>]?: ValueOf<F>;
  };

/** A command line, read. */
export interface Arguments<C extends Command> {
  readonly values: Values<C>;
  /** Names of the flags that were given, and not with --no-. */
  readonly given: ReadonlySet<string>;
  readonly positionals: readonly string[];
}

/** The flags of a subcommand. */
export function flagsOf(command: Command): readonly Flag[] {
  const sections: readonly Section[] = SECTIONS;
  return sections.flatMap(({ commands, flags }) => commands.includes(command) ? flags : []);
}

/** A command line that cannot be used. */
export function unusable(reason: string): UsageError {
  return new UsageError(`Cannot read the command line: ${reason}`);
}

/** Insertions, deletions and replacements from one word to the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j] + 1, row[j - 1] + 1));
    }
  }
  return row[b.length];
}

/** "; did you mean X?" with the word closest to what was found, or nothing if none is close. */
export function suggestion(found: string, words: readonly string[], prefix = ""): string {
  const near = words.map((word) => ({ word, distance: editDistance(found, word) }))
    .filter(({ word, distance }) =>
      distance <= Math.max(1, 0.4 * word.length) && distance < found.length
    )
    .sort((a, b) => a.distance - b.distance);
  return near.length ? `; did you mean ${prefix}${near[0].word}?` : "";
}

/** What a number has to be, in words. */
function range(flag: Extract<Flag, { kind: "number" | "integer" }>): string {
  const bounds = (["min", "above", "max", "below"] as const).flatMap((bound) => {
    const words = { min: "at least", above: "above", max: "at most", below: "below" }[bound];
    return flag[bound] === undefined ? [] : [`${words} ${flag[bound]}`];
  });
  const kind = flag.kind === "integer" ? "a whole number" : "a number";
  return bounds.length ? `${kind} ${bounds.join(" and ")}` : kind;
}

/** Decimal, with or without an exponent. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function readNumber(flag: Extract<Flag, { kind: "number" | "integer" }>, text: string): number {
  const { kind, min = -Infinity, max = Infinity, above = -Infinity, below = Infinity } = flag;
  const value = NUMBER.test(text.trim()) ? Number(text) : NaN;
  const kindFits = kind === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (kindFits && value >= min && value <= max && value > above && value < below) return value;
  throw unusable(`--${flag.name} is ${range(flag)}, found ${text}`);
}

function readValue(flag: Flag, text: string): string | number {
  if (text === "") throw unusable(`--${flag.name} needs a value`);
  switch (flag.kind) {
    case "number":
    case "integer":
      return readNumber(flag, text);
    case "choice":
      if (flag.choices.includes(text)) return text;
      throw unusable(
        `--${flag.name} is ${either(flag.choices)}, found ${text}` +
          suggestion(text, flag.choices),
      );
    default:
      return text;
  }
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

function refuseUnknown(command: Command, flags: readonly Flag[]): (arg: string) => boolean {
  const names = flags.map(({ name }) => name);
  return (arg) => {
    if (!arg.startsWith("-") || arg === "-") return true;
    const [name] = arg.split("=");
    const close = suggestion(name.replace(/^--?(no-)?/, ""), names, "--");
    throw unusable(`${name} is no flag of ${command}${close}`);
  };
}

function checkPositionals(command: Command, found: readonly string[]): void {
  const wanted: readonly string[] = COMMANDS[command].positionals;
  if (found.length < wanted.length) {
    throw unusable(`${command} needs ${wanted.slice(found.length).join(" ")}`);
  }
  if (found.length > wanted.length) {
    const takes = wanted.length ? `${wanted.join(" ")} and flags` : "flags only";
    throw unusable(`${command} takes ${takes}, found ${found[wanted.length]}`);
  }
}

/** Reads what follows a subcommand. Raises a {@link UsageError} that says what is wrong. */
export function readArguments<C extends Command>(
  command: C,
  args: readonly string[],
): Arguments<C> {
  const flags = flagsOf(command);
  const booleans = flags.filter(({ kind }) => kind === "boolean").map(({ name }) => name);
  const valued = flags.filter(({ kind }) => kind !== "boolean");
  const aliases = flags.map(({ name, short, also }) =>
    [name, [short, also].filter((other) => other !== undefined)] as const
  );
  const spellings = valued.flatMap(({ name, short, also }) => [
    `--${name}`,
    ...short ? [`-${short}`] : [],
    ...also ? [`--${also}`] : [],
  ]);
  for (const arg of args) {
    const [name, value] = arg.split("=");
    if (value !== undefined && booleans.includes(name.slice(2))) {
      throw unusable(
        `${name} takes no value, found ${value}; use ${name} or --no-${name.slice(2)}`,
      );
    }
  }
  const read = parseArgs(joinNegative(args, new Set(spellings)), {
    boolean: booleans,
    negatable: booleans,
    string: [...valued.map(({ name }) => name), "_"],
    collect: booleans,
    alias: Object.fromEntries(aliases),
    unknown: refuseUnknown(command, flags),
  });
  const given = new Set<string>();
  const values: Record<string, string | number | boolean> = {};
  for (const flag of flags) {
    const found = read[flag.name];
    if (Array.isArray(found)) {
      values[flag.name] = found.at(-1) === true;
      if (values[flag.name]) given.add(flag.name);
    } else if (typeof found === "string") {
      given.add(flag.name);
      values[flag.name] = readValue(flag, found);
    } else if ("default" in flag && flag.default !== undefined) values[flag.name] = flag.default;
  }
  const positionals = read._.map(String);
  if (!values.help) checkPositionals(command, positionals);
  return { values: values as Values<C>, given, positionals };
}
