import type { Default, Option, Value } from "../../train/options/option.ts";
import type { Command } from "./commands.ts";
import { optionsOf } from "./table.ts";

type Row = readonly [choices: string, value: Value];

/** The values of a default, each with the choices that lead to it among those of `options`. */
function rowsOf(
  value: Default<string | number> | readonly number[],
  options: readonly Option[],
  path: readonly string[] = [],
): Row[] {
  if (Array.isArray(value)) return [["", value.join(",")]];
  if (typeof value !== "object") return [[path.join(" "), value as Value]];
  return Object.entries(value).flatMap(([key, values]) => {
    const deciding = options.find(({ name }) => name === key);
    if (deciding?.kind !== "choice") return [];
    return Object.entries<Default<string | number>>(values).flatMap(([choice, value]) =>
      rowsOf(value, options, [...path, choice])
    );
  });
}

/** The default of an option in words, as `generated 6, idx 10`; nothing where there is none. */
export function defaultWords(option: Option, command: Command): string | undefined {
  const given = "default" in option ? option.default : undefined;
  const rows = given === undefined ? [] : rowsOf(given, optionsOf(command));
  const { otherwise } = option;
  const same = otherwise === undefined && rows.every(([, value]) => value === rows[0][1]);
  const words = same
    ? rows.slice(0, 1).map(([, value]) => String(value))
    : rows.map(([choices, value]) => `${choices} ${value}`);
  if (otherwise === undefined) return words.join(", ") || undefined;
  return words.length ? `${words.join(", ")}, else ${otherwise}` : otherwise;
}
