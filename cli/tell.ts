import { GpuError } from "../kernels/gpu.ts";
import { readArguments } from "./arguments.ts";
import { flagOf, optionsOf } from "./flags/table.ts";
import { DivergedError } from "../train/errors.ts";
import { type Command, COMMANDS } from "./flags/commands.ts";
import { either } from "./text.ts";

/** Flags that memory grows with. */
const SIZES = ["batchSize", "batch", "imageSize", "size", "in", "out", "trainSize", "valSize"];

/** Those that the memory of a batch on the GPU grows with. */
const BATCH_SIZES = ["batchSize", "batch", "imageSize", "size"];

/** How the engine refuses memory: it names no flag, nor anything else. */
const NO_MEMORY = /^Array buffer allocation failed|^Invalid (typed )?array (buffer )?length/;

/** Options of a command out of some. */
function optionsAmong(command: Command, names: readonly string[]): string[] {
  return optionsOf(command).map(({ name }) => name).filter((name) => names.includes(name));
}

function typed(names: readonly string[]): string {
  return either(names.map(flagOf));
}

function noMemory(command: Command, args: readonly string[]): string {
  const { values, given } = readArguments(command, args);
  const value: Readonly<Record<string, unknown>> = values;
  const sizes = optionsAmong(command, SIZES);
  const found = sizes.filter((name) => given.has(name));
  const words = found.map((name) => `${flagOf(name)} ${value[name]}`).join(" ") || "the defaults";
  const cure = typed(found.length ? found : sizes);
  return `Cannot take the memory for this: wanted sizes that fit, found ${words}; lower ${cure}`;
}

/** Cures in the library's words, and with flags. */
const CURES: readonly (readonly [RegExp, string])[] = [
  [/lower the batch to/, "lower --batch-size to"],
  [/( train: it has \d+;) ask for 1 to/, "$1 lower --train-size to"],
  [/( validation: it has \d+;) ask for 1 to/, "$1 lower --val-size to"],
  [/use a compression of/, "lower --compression to"],
  [/lower the gates' lr/, "lower --search-lr"],
  [/or the variant xresnet/, "or --variant xresnet"],
  [/found the stem authors; leave it out/, "found --stem authors; leave it out"],
];

/** A message of the library with a command's flags for its options. */
function inFlags(message: string, command: Command): string {
  const models = optionsAmong(command, ["model"]).map((name) => `, or take a smaller --${name}`);
  const smaller = `lower ${typed(optionsAmong(command, BATCH_SIZES))}${models.join("")}`;
  const cured = CURES.reduce((told, [from, to]) => told.replace(from, to), message)
    .replace(/use a smaller batch, image or network/, smaller);
  return optionsOf(command).reduce(
    (told, { name }) =>
      flagOf(name) === `--${name}` ? told : told.replace(new RegExp(`\\b${name}\\b`), flagOf(name)),
    cured,
  );
}

/**
 * The message of an error of a command line: the library names its own options, and who typed flags
 * is to read of flags.
 */
export function tell(error: unknown, [name, ...args]: readonly string[]): string {
  const message = error instanceof Error ? error.message : String(error);
  const ofLibrary = error instanceof RangeError || error instanceof GpuError ||
    error instanceof DivergedError;
  if (!ofLibrary || !Object.hasOwn(COMMANDS, name ?? "")) return message;
  const command = name as Command;
  return NO_MEMORY.test(message) ? noMemory(command, args) : inFlags(message, command);
}
