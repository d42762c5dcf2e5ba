import { printable, printableJson } from "../../data/printable.ts";
import { suggestion } from "../../data/suggestion.ts";
import { listed } from "../../data/words.ts";
import { fitsNumber, fitsNumbers, listWords, lostIn32Bits, rangeWords } from "./bounds.ts";
import type { Option, Value } from "./option.ts";

/** What was wanted of a value, and whether it is of that kind, though out of range. */
interface Wanted {
  readonly words: string;
  readonly isOfKind: boolean;
  readonly hint?: string;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function areNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((number) => typeof number === "number");
}

/** What is wrong with a value of an option; nothing where it is one that the option takes. */
function wrongValueOf(option: Option, value: unknown): Wanted | undefined {
  switch (option.kind) {
    case "boolean":
      return typeof value === "boolean" ? undefined : { words: "true or false", isOfKind: false };
    case "number":
    case "integer": {
      const isOfKind = typeof value === "number";
      if (isOfKind && fitsNumber(option, value)) {
        if (option.kind === "integer" || lostIn32Bits(option, value) === undefined) return;
      }
      return { words: rangeWords(option), isOfKind };
    }
    case "numbers": {
      const numbers = option.alone && typeof value === "number" ? [value] : value;
      const isOfKind = areNumbers(numbers);
      if (isOfKind && fitsNumbers(option, numbers)) return;
      return { words: listWords(option), isOfKind };
    }
    case "choice":
    case "choices": {
      const { choices } = option;
      const list = option.kind === "choices" ? value : [value];
      const isOfKind = Array.isArray(list) && list.every(isText);
      const wrong = isOfKind ? list.find((one) => !choices.includes(one)) : undefined;
      if (isOfKind && wrong === undefined) return;
      const words = option.kind === "choice"
        ? listed(choices, "or")
        : `a list of ${listed(choices)}`;
      return { words, isOfKind, hint: wrong && suggestion(wrong, choices) };
    }
    case "string": {
      const isOfKind = isText(value) && value !== "";
      if (isOfKind && option.form?.pattern.test(value) !== false) return;
      return { words: option.form?.words ?? "a text", isOfKind };
    }
  }
}

/**
 * Raises an error for a value that an option does not take: a `TypeError` for one of another kind, a
 * `RangeError` for one out of range. `doing` begins its message, as "Cannot train".
 */
export function checkValue(
  option: Option,
  value: unknown,
  doing: string,
): asserts value is Value {
  const wrong = wrongValueOf(option, value);
  if (!wrong) return;
  const found = typeof value === "number" ? String(value) : printableJson(value);
  const message = `${doing}: ${printable(option.name)} is ${wrong.words}, found ${found}` +
    (wrong.hint ?? "");
  throw wrong.isOfKind ? new RangeError(message) : new TypeError(message);
}
