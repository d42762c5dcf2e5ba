// The file of --config: options as config.json of a run holds them.
import { messageOf } from "../data/message_of.ts";
import { DataError } from "../data/error.ts";
import { foundInstead } from "../data/found_instead.ts";
import { isRecord, parseJson } from "../data/json.ts";
import { printable, printableJson } from "../data/printable.ts";
import { suggestion } from "../data/suggestion.ts";
import { listed } from "../data/words.ts";
import { UsageError } from "../train/errors.ts";
import { type Value, withDefaults } from "../train/options/option.ts";
import type { RunWidths } from "../train/small_widths.ts";
import { configValue } from "./config_value.ts";
import { writtenWidths } from "./config_widths.ts";
import type { Command } from "./flags/commands.ts";
import { commandsWith, optionsOf } from "./flags/table.ts";
import { refuseNoEffect } from "./no_effect.ts";
import { reasonOf } from "./option_value.ts";
import { APART } from "./options.ts";
import { readText } from "./run/read_file.ts";
import { recognizedDataset } from "./run/recognized.ts";

/** What a file says of the options of a run. */
export interface ConfigFile {
  /** Those that it gives a value. */
  readonly values: Readonly<Record<string, Value>>;
  /** Widths that it holds itself; where it names a file of them, they are among the values. */
  readonly widths?: RunWidths;
}

function unusable(path: string, reason: string): UsageError {
  return new UsageError(`Cannot use the options in ${printable(path, 300)}: ${reason}`);
}

/** The error for a key that is no option of the command. */
function unknownKey(path: string, key: string, command: Command): UsageError {
  const elsewhere = commandsWith(key);
  if (APART.includes(key)) return unusable(path, `${key} is for the command line alone`);
  return unusable(
    path,
    elsewhere.length
      ? `${key} is an option of ${listed(elsewhere)}, not of ${command}`
      : `${printable(key)} is no option of ${command}` +
        suggestion(key, optionsOf(command).map(({ name }) => name)),
  );
}

/** Options that a file has, but that only follow from others, as config.json holds them. */
function following({ mode }: ConfigFile["values"], widths: boolean): readonly string[] {
  return [...mode === "distill" ? ["which"] : [], ...widths ? ["compression"] : []];
}

/** Raises a `UsageError` for what a file says without an effect beside all else that it says. */
async function refuseIdle(
  command: Command,
  path: string,
  { values: said, widths }: ConfigFile,
): Promise<void> {
  const options = optionsOf(command);
  const values: ConfigFile["values"] = { ...said, ...await recognizedDataset(said) };
  const all = withDefaults(options, values);
  const follow = following(values, widths !== undefined);
  const own = Object.keys(said).filter((name) => {
    const { [name]: value, ...others } = values;
    const usual = withDefaults(options, others)[name];
    return value !== false && !follow.includes(name) &&
      JSON.stringify(value) !== JSON.stringify(usual);
  });
  try {
    refuseNoEffect(command, new Set(own), all);
  } catch (error) {
    throw unusable(path, reasonOf(error));
  }
}

async function readObject(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readText(path).catch((cause) => {
    throw new DataError(
      `Cannot read options: wanted config.json of a run, found ${foundInstead(path, cause)}`,
      { cause },
    );
  });
  let found: unknown;
  try {
    // Some editors begin files with a mark of their byte order.
    found = parseJson(text.replace(/^\ufeff/, ""));
  } catch (error) {
    const why = messageOf(error);
    throw new DataError(
      `Cannot read options of ${printable(path, 300)}: wanted JSON as in config.json of a run, ` +
        `found ${printable(why, 300)}`,
      { cause: error },
    );
  }
  if (isRecord(found)) return found;
  throw unusable(
    path,
    `wanted an object as in config.json of a run, found ${printableJson(found)}`,
  );
}

/**
 * Reads a file as config.json of a run is one, for a command; null is no value. Raises a `UsageError`
 * for keys that are no options of the command, and for values that they do not take, by name, and a
 * `DataError` for a file that cannot be read.
 */
export async function readConfigFile(command: Command, path: string): Promise<ConfigFile> {
  const { command: of, ...found } = await readObject(path);
  if (of !== undefined && of !== command) {
    throw unusable(path, `they are those of ${printableJson(of)}, found them for ${command}`);
  }
  const options = optionsOf(command).filter(({ name }) => !APART.includes(name));
  const values: Record<string, Value> = {};
  const widths = "widths" in found ? writtenWidths(found.widths) : undefined;
  for (const [key, value] of Object.entries(found)) {
    const option = options.find(({ name }) => name === key);
    if (!option) throw unknownKey(path, key, command);
    if (value === null || (key === "widths" && widths)) continue;
    try {
      values[key] = configValue(option, value);
    } catch (error) {
      if (error instanceof UsageError) throw unusable(path, error.message);
      throw error;
    }
  }
  const file = { values, widths };
  await refuseIdle(command, path, file);
  return file;
}
