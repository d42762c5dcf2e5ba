import { messageOf } from "../data/message_of.ts";
import { curesInWords, isCurable, type OptionName } from "../data/cure.ts";
import { grantingFlag, notPermitted, permissionIn } from "../data/missing_permission.ts";
import { NoAdapterError } from "../kernels/gpu/gpu_error.ts";
import { readArguments } from "./arguments.ts";
import { type Command, isCommand } from "./flags/commands.ts";
import { flagOf, optionsOf } from "./flags/table.ts";
import { backendGiven, noAdapterMessage } from "./no_adapter.ts";
import { either } from "./text.ts";

/** Options that memory grows with. */
const SIZES = ["batchSize", "batch", "imageSize", "size", "in", "out", "trainSize", "valSize"];

/** Messages of the engine for memory that it does not get: they name no option, nor anything else. */
const NO_MEMORY = /^Array buffer allocation failed|^Invalid (typed )?array (buffer )?length/;

function noMemory(command: Command, args: readonly string[]): string {
  const { values, given } = readArguments(command, args);
  const value: Readonly<Record<string, unknown>> = values;
  const sizes = optionsOf(command).map(({ name }) => name).filter((name) => SIZES.includes(name));
  const found = sizes.filter((name) => given.has(name));
  const words = found.map((name) => `${flagOf(name)} ${value[name]}`).join(" ") || "the defaults";
  const cure = either((found.length ? found : sizes).map(flagOf));
  return `Cannot take the memory for this: wanted sizes that fit, found ${words}; lower ${cure}`;
}

/** The flag of an option of the library; nothing where a command has none. */
function flagFor(command: Command, { option }: OptionName): string | undefined {
  const flag = flagOf(option);
  const found = optionsOf(command).find(({ name, also = [] }) =>
    name === option || also.includes(flag.slice(2))
  );
  return found && flagOf(found.name);
}

/** The message for what Deno was not permitted to do, where nobody else has made one of it. */
function permissionMessage(message: string): string | undefined {
  const missing = permissionIn(message);
  if (!missing) return undefined;
  return `Cannot ${notPermitted(missing)}: Deno was started without the permission to; ` +
    `add ${grantingFlag(missing)}, or start it with deno task`;
}

/**
 * The message of an error of a command line: the library's cures name its own options, and who
 * typed flags reads of the flags that the command has.
 */
export function errorMessage(error: unknown, [name, ...args]: readonly string[]): string {
  const message = messageOf(error);
  if (error instanceof NoAdapterError) {
    const backend = backendGiven();
    const { cure } = error;
    if (backend) return noAdapterMessage({ backend, os: Deno.build.os, cure });
  }
  const refused = permissionMessage(message);
  if (refused) return refused;
  if (!isCommand(name)) return message;
  if (error instanceof RangeError && NO_MEMORY.test(message)) return noMemory(name, args);
  if (!isCurable(error)) return message;
  const cures = curesInWords(error.cures, (option) => flagFor(name, option));
  return cures ? `${error.problem}; ${cures}` : message;
}
