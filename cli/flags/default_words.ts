import { type Default, isList, type Option, type Plain } from "../../train/options/option.ts";
import type { Command } from "./commands.ts";
import { flagOf, optionsOf } from "./table.ts";

type Row = readonly [choices: string, value: Plain];

/** A value as it would be typed; numbers with at most four digits. */
function wordsOf(value: Plain): string {
  if (typeof value === "string") return value;
  const short = (number: number): string => String(Number(number.toPrecision(4)));
  return isList(value) ? value.map(short).join(",") : short(value);
}

/**
 * The values of a default, each with the choices that lead to it among those of `options`. Those of
 * recipes are left out: a recipe says itself what it fills in.
 */
function rowsOf(
  value: Default<Plain>,
  options: readonly Option[],
  path: readonly string[] = [],
): Row[] {
  if (typeof value !== "object" || isList(value)) return [[path.join(" "), value]];
  if ("as" in value) return [[path.join(" "), flagOf(value.as)]];
  const { else: otherwise, recipe: _, ...choices } = value;
  const rows = Object.entries(choices).flatMap(([key, values]) => {
    const deciding = options.find(({ name }) => name === key);
    if (deciding?.kind !== "choice") return [];
    return Object.entries(values).flatMap(([choice, value]) =>
      rowsOf(value, options, [...path, choice])
    );
  });
  return otherwise === undefined ? rows : [...rows, [path.join(" "), otherwise]];
}

/** The default of an option in words, as `generated 6, idx 10`; nothing where there is none. */
export function defaultWords(option: Option, command: Command): string | undefined {
  const given = "default" in option ? option.default : undefined;
  const rows = given === undefined ? [] : rowsOf(given, optionsOf(command));
  const { otherwise } = option;
  const same = otherwise === undefined && rows.every(([, value]) => value === rows[0][1]);
  const words = same
    ? rows.slice(0, 1).map(([, value]) => wordsOf(value))
    : rows.map(([choices, value]) => `${choices} ${wordsOf(value)}`);
  if (otherwise === undefined) return words.join(", ") || undefined;
  return words.length ? `${words.join(", ")}, else ${otherwise}` : otherwise;
}
