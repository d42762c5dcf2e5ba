import { printable } from "../data/printable.ts";
import { UsageError } from "../train/errors.ts";
import type { Option, Value } from "../train/options/option.ts";
import { flagOf } from "./flags/table.ts";
import { suggestion } from "../data/suggestion.ts";
import { either } from "./text.ts";

type Numeric = Extract<Option, { kind: "number" | "integer" }>;
type Numbers = Extract<Option, { kind: "numbers" }>;

/** The error for a command line that cannot be used. */
export function unusable(reason: string): UsageError {
  return new UsageError(`Cannot read the command line: ${reason}`);
}

/** The range of a number in words. */
function range(option: Numeric): string {
  const bounds = (["min", "above", "max", "below"] as const).flatMap((bound) => {
    const words = { min: "at least", above: "above", max: "at most", below: "below" }[bound];
    return option[bound] === undefined ? [] : [`${words} ${option[bound]}`];
  });
  const kind = option.kind === "integer" ? "a whole number" : "a number";
  return bounds.length ? `${kind} ${bounds.join(" and ")}` : kind;
}

/** Decimal, with or without an exponent. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function decimal(text: string): number {
  return NUMBER.test(text.trim()) ? Number(text) : NaN;
}

/** The least number above 0 that all GPUs keep in 32 bits. */
const LEAST = 2 ** -126;

/** A number as the GPU has it, in 32 bits. */
function inFloat32(value: number): number {
  return Math.abs(value) < LEAST ? 0 : Math.fround(value);
}

function readNumber(option: Numeric, text: string): number {
  const { kind, min = -Infinity, max = Infinity, above = -Infinity, below = Infinity } = option;
  const value = decimal(text);
  const inRange = (value: number): boolean =>
    value >= min && value <= max && value > above && value < below;
  const wanted = `${flagOf(option.name)} is ${range(option)}`;
  const kindFits = kind === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (!kindFits || !inRange(value)) throw unusable(`${wanted}, found ${printable(text)}`);
  if (kind === "integer") return value;
  const rounded = inFloat32(value);
  const kept = Number.isFinite(rounded) && (rounded !== 0 || value === 0);
  if (kept && (rounded < below) && (rounded > above)) return value;
  throw unusable(`${wanted}, found ${printable(text)}, which is ${rounded} in 32 bits`);
}

function readNumbers({ name, min, count: [few, many] }: Numbers, text: string): number[] {
  const numbers = text.split(",").map(decimal);
  const fits = numbers.length >= few && numbers.length <= many &&
    new Set(numbers).size === numbers.length;
  if (fits && numbers.every((number) => number >= min && Number.isFinite(number))) return numbers;
  throw unusable(
    `${
      flagOf(name)
    } is ${few} to ${many} different numbers from ${min} on with commas between, found ` +
      printable(text),
  );
}

/** The value of an option out of the text of its flag. Raises a {@link UsageError} unless it fits. */
export function readValue(option: Option, text: string): Value {
  if (text === "") throw unusable(`${flagOf(option.name)} needs a value`);
  switch (option.kind) {
    case "number":
    case "integer":
      return readNumber(option, text);
    case "numbers":
      return readNumbers(option, text);
    case "choice":
      if (option.choices.includes(text)) return text;
      throw unusable(
        `${flagOf(option.name)} is ${either(option.choices)}, found ${printable(text)}` +
          suggestion(text, option.choices),
      );
    default:
      return text;
  }
}
