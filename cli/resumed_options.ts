// The options of a run that goes on: those that it has, with what the command line may change.
import type { RunWidths } from "../train/small_widths.ts";
import { resolve } from "node:path";
import { DataError } from "../data/error.ts";
import { isRecord } from "../data/json.ts";
import { printable, printableJson } from "../data/printable.ts";
import { listed } from "../data/words.ts";
import { UsageError } from "../train/errors.ts";
import { type Option, type Value, withDefaults } from "../train/options/option.ts";
import { type Arguments, readArguments, readTyped } from "./arguments.ts";
import { type Command, COMMAND_NAMES } from "./flags/commands.ts";
import { flagOf, optionsOf } from "./flags/table.ts";
import { configValue } from "./config_value.ts";
import { writtenWidths } from "./config_widths.ts";
import { unusable } from "./option_value.ts";
import type { FoundRun } from "./run/found_run.ts";

/** Options whose values are paths: two that lead to one place are alike. */
const PATHS: readonly string[] = ["model", "dataDir", "teacher", "init", "output"];

/** What a command line makes of a run that it goes on with. */
export interface ResumedOptions<C extends Command> {
  readonly parsed: Arguments<C>;
  /** The widths of its small network, where they were given. */
  readonly widths?: RunWidths;
  /** What is to be said of them, a sentence each. */
  readonly notes: readonly string[];
}

/** The error for options of a checkpoint that are not those of a run. */
function notOfRun(file: string, value: unknown, flag: string): DataError {
  return new DataError(
    `Cannot go on from ${printable(file, 300)}: its options are not those of a run, found ` +
      `${printableJson(value)} for ${flag}; take an earlier checkpoint`,
  );
}

/** The options of a command as a run has them; those without a value are left out. */
function knownValues(command: Command, { config, file }: FoundRun): Record<string, Value> {
  const known: Record<string, Value> = {};
  for (const option of optionsOf(command)) {
    const value = Object.hasOwn(config, option.name) ? config[option.name] : null;
    // Widths are those of the file that was named; time is that of one command.
    if (value === null || (option.name === "widths" && isRecord(value))) continue;
    if (option.name === "timeLimit") continue;
    try {
      known[option.name] = configValue(option, value);
    } catch {
      throw notOfRun(file, value, flagOf(option.name));
    }
  }
  return known;
}

function alike(name: string, a: Value | undefined, b: Value): boolean {
  if (PATHS.includes(name) && typeof a === "string" && typeof b === "string") {
    return resolve(a) === resolve(b);
  }
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Why the steps of a run depend on how many epochs it has; nothing where they do not. */
export function dependsOnEpochs(
  { mode, sched, klSchedule, finetuneEpochs }: {
    readonly mode?: unknown;
    readonly sched?: unknown;
    readonly klSchedule?: unknown;
    readonly finetuneEpochs?: unknown;
  },
): string | undefined {
  if (sched !== "constant") return `the learning rates of schedule ${sched} depend on them`;
  if (mode === "plain" || mode === "distill") return undefined;
  if (Number(finetuneEpochs) > 0) return "the small network is fine-tuned after them";
  if (klSchedule === "constant") return undefined;
  return "the weight of the KL term depends on them";
}

/** The error for options with which a run would not have come to where it is. */
function otherCourse(path: string, reasons: readonly string[], flags: readonly string[]): Error {
  return new UsageError(
    `Cannot go on with ${printable(path, 300)}: ${reasons.join("; ")}; leave out ` +
      `${listed(flags)}, or train anew with another --output`,
  );
}

function shown(value: Value | undefined): string {
  return value === undefined ? "not given" : printable(String(value), 300);
}

/** What differs in the course of a run from what was typed: reasons by flag. */
function differences(
  options: readonly Option[],
  typed: Readonly<Record<string, Value>>,
  { known, begun }: { readonly known: Readonly<Record<string, Value>>; readonly begun: number },
): { readonly reasons: readonly string[]; readonly flags: readonly string[] } {
  const reasons: string[] = [];
  const flags: string[] = [];
  for (const { name, course } of options) {
    const found = typed[name];
    if (course === false || found === undefined || alike(name, known[name], found)) continue;
    const flag = flagOf(name);
    const both = `${flag} is ${shown(known[name])} there, found ${shown(found)}`;
    if (name !== "epochs") {
      reasons.push(both);
      flags.push(flag);
      continue;
    }
    const why = Number(found) < begun ? `epoch ${begun} has begun there` : dependsOnEpochs(known);
    if (why === undefined) continue;
    reasons.push(`${both}, and ${why}`);
    flags.push(flag);
  }
  return { reasons, flags };
}

function refuseOtherCommand(command: Command, { path, file, config }: FoundRun): void {
  const there = config.command;
  if (there === undefined || there === command) return;
  // What is typed next is taken out of the message: it has to be a command of ours.
  if (!COMMAND_NAMES.some((name) => name === there)) {
    throw new DataError(
      `Cannot go on from ${printable(file, 300)}: its options are not those of a run, found ` +
        `${printableJson(there)} as its command; take an earlier checkpoint`,
    );
  }
  throw new UsageError(
    `Cannot go on with ${printable(path, 300)}: it is a run of ${there}; go on with ` +
      `deno task ${there} --resume ${printable(path, 300)}`,
  );
}

/** The epochs of the training of which at least a step has been done. */
function begunEpochs({ state: { phase, position: { epoch, step } } }: FoundRun): number {
  return phase === "train" ? epoch + (step > 0 ? 1 : 0) : 0;
}

/** The widths that a run was given, with the network that they are of. */
function widthsOf({ config: { widths }, file }: FoundRun): RunWidths | undefined {
  if (!isRecord(widths)) return undefined;
  const found = writtenWidths(widths);
  if (found) return found;
  throw notOfRun(file, widths, "--widths");
}

/** Lists of names that were typed, behind those that the run has. */
function grownLists(
  options: readonly Option[],
  { known, typed }: {
    readonly known: Readonly<Record<string, Value>>;
    readonly typed: Readonly<Record<string, Value>>;
  },
): Record<string, readonly string[]> {
  const names = (value: Value | undefined): string[] =>
    Array.isArray(value) ? value.map(String) : [];
  return Object.fromEntries(
    options.filter(({ kind, name }) => kind === "choices" && known[name] && typed[name])
      .map(({ name }) => [name, [...new Set([...names(known[name]), ...names(typed[name])])]]),
  );
}

/**
 * Reads a command line that goes on with a run. Raises a {@link UsageError} for options that would
 * change its course, by name. `widths` are those of the file that was typed; `asked` is what the
 * file of `--config` says.
 */
export function resumedOptions<C extends "train" | "search" | "compare">(
  command: C,
  args: readonly string[],
  found: FoundRun,
  { widths, asked = {} }: {
    readonly widths?: RunWidths;
    readonly asked?: Readonly<Record<string, Value>>;
  } = {},
): ResumedOptions<C> {
  refuseOtherCommand(command, found);
  // The folder of the run is that of --resume.
  const { output: _, ...inFile } = asked;
  const typed = { ...inFile, ...readTyped(command, args).typed };
  const { path } = found;
  const own = knownValues(command, found);
  const known = { ...own, output: path };
  if (typed.output !== undefined && !alike("output", path, typed.output)) {
    throw unusable(
      `--output ${shown(typed.output)} has no effect beside --resume, which goes on in ` +
        `${printable(path, 300)}; leave one of them out`,
    );
  }
  if (typed.overwrite === true && typed.resume !== "auto") {
    throw unusable("--overwrite has no effect beside --resume; leave one of them out");
  }
  const options = optionsOf(command).filter(({ name }) => name !== "widths");
  const { reasons, flags } = differences(options, typed, {
    known: withDefaults(options, known),
    begun: begunEpochs(found),
  });
  const there = widthsOf(found);
  const same = JSON.stringify(there?.widths) === JSON.stringify(widths?.widths);
  if (typed.widths !== undefined && !same) {
    const has = there ? "other widths" : "none";
    throw otherCourse(path, [
      ...reasons,
      `the run has ${has}, found ${shown(typed.widths)} for --widths`,
    ], [...flags, "--widths"]);
  }
  if (reasons.length) throw otherCourse(path, reasons, flags);
  const flagless = Object.fromEntries(
    Object.entries({ ...known, ...inFile }).filter(([name]) => name !== "widths"),
  );
  const { values: read, positionals } = readArguments(command, args, flagless);
  const grown = grownLists(options, { known, typed });
  const values = { ...read, ...grown };
  const given = new Set(Object.keys(values).filter((name) => name !== "widths"));
  const epochs = typed.epochs === undefined || alike("epochs", own.epochs, typed.epochs);
  const notes = epochs ? [] : [
    `goes on to ${typed.epochs} epochs in the place of ${own.epochs}: with a constant learning ` +
    `rate, that is the run of ${typed.epochs}`,
  ];
  return { parsed: { values, given, positionals }, widths: there, notes };
}
