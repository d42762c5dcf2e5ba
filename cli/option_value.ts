import { printable } from "../data/printable.ts";
import { UsageError } from "../train/errors.ts";
import {
  fitsNumber,
  fitsNumbers,
  listWords,
  lostIn32Bits,
  rangeWords,
} from "../train/options/bounds.ts";
import type { Option, Value } from "../train/options/option.ts";
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

/** Decimal, with or without an exponent. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function decimal(text: string): number {
  return NUMBER.test(text.trim()) ? Number(text) : NaN;
}

function readNumber(option: Numeric, text: string): number {
  const { kind } = option;
  const value = decimal(text);
  const wanted = `${flagOf(option.name)} is ${rangeWords(option)}`;
  if (!fitsNumber(option, value)) throw unusable(`${wanted}, found ${printable(text)}`);
  if (kind === "integer") return value;
  const rounded = lostIn32Bits(option, value);
  if (rounded === undefined) return value;
  throw unusable(`${wanted}, found ${printable(text)}, which is ${rounded} in 32 bits`);
}

function readNumbers(option: Numbers, text: string): number | number[] {
  const numbers = text.split(",").map(decimal);
  if (fitsNumbers(option, numbers)) {
    return option.alone && numbers.length === 1 ? numbers[0] : numbers;
  }
  const wanted = `${flagOf(option.name)} is ${listWords(option, " with commas between")}`;
  throw unusable(`${wanted}, found ${printable(text)}`);
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
