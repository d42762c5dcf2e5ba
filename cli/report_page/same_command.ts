import { type Option, type Value, withDefaults } from "../../train/options/option.ts";
import { type Command, COMMAND_NAMES } from "../flags/commands.ts";
import { flagOf, optionsOf } from "../flags/table.ts";

/** Options that say nothing about what a run comes to. */
const ASIDE: readonly string[] = [
  ...["output", "overwrite", "quiet", "dryRun", "resume", "timeLimit", "keep", "beside"],
  ...["checkpointSteps", "checkpointMinutes", "help", "version", "json", "config"],
];

function isValue(value: unknown): value is Value {
  return ["string", "number", "boolean"].includes(typeof value) || Array.isArray(value);
}

/** The options of a command as a config.json has them; those without a value are left out. */
function valuesIn(
  options: readonly Option[],
  config: Readonly<Record<string, unknown>>,
): Record<string, Value> {
  return Object.fromEntries(options.flatMap(({ name }) => {
    const value = config[name];
    return isValue(value) ? [[name, value] as const] : [];
  }));
}

function wordsOf({ name }: Option, value: Value): string[] {
  if (typeof value === "boolean") return value ? [flagOf(name)] : [];
  return [flagOf(name), Array.isArray(value) ? value.join(",") : String(value)];
}

/**
 * The shortest command line that does a run again, a word each: what its options are without being
 * told is left out.
 */
export function sameCommand(config: Readonly<Record<string, unknown>>): string[] {
  const command = COMMAND_NAMES.find((name): name is Command => name === config.command) ?? "train";
  const options = optionsOf(command).filter(({ name }) => !ASIDE.includes(name));
  const values = valuesIn(options, config);
  const words = options.flatMap((option) => {
    const value = values[option.name];
    if (value === undefined) return [];
    const others = Object.fromEntries(
      Object.entries(values).filter(([name]) => name !== option.name),
    );
    const unsaid = withDefaults(options, others)[option.name];
    return JSON.stringify(unsaid) === JSON.stringify(value) ? [] : wordsOf(option, value);
  });
  return [command, ...words];
}
