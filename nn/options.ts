import { printableJson } from "../data/printable.ts";

/** Raises a `TypeError` for options that have a name which is none of `known`. */
export function checkOptionNames(what: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TypeError(
    `Cannot ${what}: wanted options out of ${known.join(", ")}, found ${printableJson(unknown)}`,
  );
}

/** Raises a `RangeError` for a value that is none of the choices; `undefined` is left alone. */
export function checkChoice(
  what: string,
  name: string,
  value: unknown,
  choices: readonly string[],
): void {
  if (value === undefined || choices.some((choice) => choice === value)) return;
  throw new RangeError(
    `Cannot ${what}: ${name} is ${choices.join(" or ")}, found ${printableJson(value)}`,
  );
}
