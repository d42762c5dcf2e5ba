import { printableJson } from "../data/printable.ts";
import { UsageError } from "../train/errors.ts";
import type { Option, Value } from "../train/options/option.ts";
import { flagOf } from "./flags/table.ts";
import { readValue, reasonOf } from "./option_value.ts";

/** The text of a flag for a value of JSON; nothing where the value is of another kind. */
function textOf(option: Option, value: unknown): string | undefined {
  switch (option.kind) {
    case "number":
    case "integer":
      return typeof value === "number" ? String(value) : undefined;
    case "numbers":
      if (option.alone && typeof value === "number") return String(value);
      return Array.isArray(value) && value.every((one) => typeof one === "number")
        ? value.join(",")
        : undefined;
    case "choices":
      return Array.isArray(value) && value.every((one) => typeof one === "string")
        ? value.join(",")
        : undefined;
    case "string":
    case "choice":
      return typeof value === "string" ? value : undefined;
    case "boolean":
      return undefined;
  }
}

/** What an option wants that has a value of another kind. */
function wanted(option: Option): string {
  if (option.kind === "boolean") return "true or false";
  if (option.kind === "string") return option.form?.words ?? "a text";
  // No option takes this: what is wanted stands before what was found.
  try {
    readValue(option, "\u0000");
  } catch (error) {
    const [, words] = /^\S+ is (.*), found /.exec(reasonOf(error)) ?? [];
    if (words) return words;
  }
  return `a value of ${flagOf(option.name)}`;
}

/**
 * A value of config.json as the command line would have read it. Raises a `UsageError` whose message
 * begins with the name of the option.
 */
export function configValue(option: Option, value: unknown): Value {
  const wrong = (): UsageError =>
    new UsageError(`${option.name} is ${wanted(option)}, found ${printableJson(value)}`);
  if (typeof value === "boolean" && option.kind === "boolean") return value;
  const text = textOf(option, value);
  if (text === undefined) throw wrong();
  let read: Value;
  try {
    read = readValue(option, text);
  } catch (error) {
    throw new UsageError(reasonOf(error).replace(flagOf(option.name), option.name));
  }
  // Names with commas in them, one number in a list.
  if (JSON.stringify([read].flat()) !== JSON.stringify([value].flat())) throw wrong();
  return read;
}
