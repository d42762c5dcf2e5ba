import { printable } from "../data/printable.ts";
import { UsageError } from "../train/errors.ts";
import type { Bounds, Option, Value } from "../train/options/option.ts";
import { flagOf } from "./flags/table.ts";
import { suggestion } from "../data/suggestion.ts";
import { either } from "./text.ts";

type Numeric = Extract<Option, { kind: "number" | "integer" }>;
type Numbers = Extract<Option, { kind: "numbers" }>;

const CANNOT = "Cannot read the command line: ";

/** The error for a command line that cannot be used. */
export function unusable(reason: string): UsageError {
  return new UsageError(CANNOT + reason);
}

/** The reason of an error of {@link unusable}. Other errors are raised again. */
export function reasonOf(error: unknown): string {
  if (error instanceof UsageError && error.message.startsWith(CANNOT)) {
    return error.message.slice(CANNOT.length);
  }
  throw error;
}

/** Bounds in words, as "at least 0 and below 1"; empty without any. */
function boundWords(bounds: Bounds): string {
  return (["min", "above", "max", "below"] as const).flatMap((bound) => {
    const words = { min: "at least", above: "above", max: "at most", below: "below" }[bound];
    return bounds[bound] === undefined ? [] : [`${words} ${bounds[bound]}`];
  }).join(" and ");
}

/** The range of a number in words. */
function range(option: Numeric): string {
  if (option.among) return either(option.among.map(String));
  const kind = option.kind === "integer" ? "a whole number" : "a number";
  return [kind, boundWords(option)].filter((words) => words).join(" ");
}

function within(
  { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity }: Bounds,
  value: number,
): boolean {
  return value >= min && value <= max && value > above && value < below;
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

/** A number as it is typed, if the GPU keeps it within its bounds; else what it is in 32 bits. */
function kept(bounds: Bounds, value: number): { rounded?: number } {
  const rounded = inFloat32(value);
  const { above = -Infinity, below = Infinity } = bounds;
  const fits = Number.isFinite(rounded) && (rounded !== 0 || value === 0) && rounded < below &&
    rounded > above;
  return fits ? {} : { rounded };
}

function readNumber(option: Numeric, text: string): number {
  const { kind, among } = option;
  const value = decimal(text);
  const wanted = `${flagOf(option.name)} is ${range(option)}`;
  const kindFits = kind === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (!kindFits || !within(option, value) || among?.includes(value) === false) {
    throw unusable(`${wanted}, found ${printable(text)}`);
  }
  if (kind === "integer") return value;
  const { rounded } = kept(option, value);
  if (rounded === undefined) return value;
  throw unusable(`${wanted}, found ${printable(text)}, which is ${rounded} in 32 bits`);
}

function readNumbers(option: Numbers, text: string): number | number[] {
  const { name, count: [few, many], order } = option;
  const numbers = text.split(",").map(decimal);
  const ordered = order === "different"
    ? new Set(numbers).size === numbers.length
    : order === "any" || numbers.every((number, i) => i === 0 || number >= numbers[i - 1]);
  const fits = numbers.length >= few && numbers.length <= many && ordered;
  const each = (number: number): boolean =>
    Number.isFinite(number) && within(option, number) && kept(option, number).rounded === undefined;
  if (fits && numbers.every(each)) {
    return option.alone && numbers.length === 1 ? numbers[0] : numbers;
  }
  const bounds = boundWords(option);
  const count = few === many ? `${few}` : `${few} to ${many}`;
  const kind = order === "any" ? "" : `${order} `;
  const wanted = option.alone
    ? `a number ${bounds}, or up to ${many} ${kind}ones with commas between`
    : `${count} ${kind}numbers ${bounds} with commas between`;
  throw unusable(`${flagOf(name)} is ${wanted}, found ${printable(text)}`);
}

/** The choices of an option in words. */
function choiceWords({ choices, orFile }: Extract<Option, { kind: "choice" }>): string {
  return either([...choices, ...orFile === undefined ? [] : [`a file *${orFile}`]]);
}

/** Names with commas between. */
function readNames(
  { name, choices }: Extract<Option, { kind: "choices" }>,
  text: string,
): string[] {
  const names = text.split(",").map((one) => one.trim());
  for (const [i, found] of names.entries()) {
    if (!choices.includes(found)) {
      throw unusable(
        `${flagOf(name)} is ${choices.join(", ")} or several of them with commas between, found ` +
          printable(found) + suggestion(found, choices),
      );
    }
    if (names.indexOf(found) < i) throw unusable(`${flagOf(name)} names ${found} twice`);
  }
  return names;
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
      if (option.orFile !== undefined && text.endsWith(option.orFile)) return text;
      throw unusable(
        `${flagOf(option.name)} is ${choiceWords(option)}, found ${printable(text)}` +
          suggestion(text, option.choices),
      );
    case "choices":
      return readNames(option, text);
    case "string":
      if (!option.form || option.form.pattern.test(text)) return text;
      throw unusable(`${flagOf(option.name)} is ${option.form.words}, found ${printable(text)}`);
    case "boolean":
      throw new TypeError(`Cannot read ${flagOf(option.name)}: it takes no value`);
  }
}
