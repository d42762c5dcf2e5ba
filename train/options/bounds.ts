import { listed } from "../../data/words.ts";
import type { Bounds, Option } from "./option.ts";

type Numeric = Extract<Option, { kind: "number" | "integer" }>;
type Numbers = Extract<Option, { kind: "numbers" }>;

/** Bounds in words, as "at least 0 and below 1"; empty without any. */
function boundWords(bounds: Bounds): string {
  return (["min", "above", "max", "below"] as const).flatMap((bound) => {
    const words = { min: "at least", above: "above", max: "at most", below: "below" }[bound];
    return bounds[bound] === undefined ? [] : [`${words} ${bounds[bound]}`];
  }).join(" and ");
}

/** The range of a number in words. */
export function rangeWords(option: Numeric): string {
  if (option.among) return listed(option.among.map(String), "or");
  const kind = option.kind === "integer" ? "a whole number" : "a number";
  return [kind, boundWords(option)].filter((words) => words).join(" ");
}

/** The lists of numbers that an option takes, in words; `joint` says how numbers are put together. */
export function listWords(option: Numbers, joint = ""): string {
  const { alone, count: [few, many], order } = option;
  const bounds = boundWords(option);
  const count = few === many ? `${few}` : `${few} to ${many}`;
  const kind = order === "any" ? "" : `${order} `;
  return alone
    ? `a number ${bounds}, or up to ${many} ${kind}ones${joint}`
    : `${count} ${kind}numbers ${bounds}${joint}`;
}

/** Whether a number is within bounds. */
export function isWithin(
  { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity }: Bounds,
  value: number,
): boolean {
  return value >= min && value <= max && value > above && value < below;
}

/** The least number above 0 that all GPUs keep in 32 bits. */
const LEAST = 2 ** -126;

/** A number as the GPU has it, in 32 bits. */
function inFloat32(value: number): number {
  return Math.abs(value) < LEAST ? 0 : Math.fround(value);
}

/** What a number is in 32 bits, where the GPU does not keep it within its bounds. */
export function lostIn32Bits(bounds: Bounds, value: number): number | undefined {
  const rounded = inFloat32(value);
  const { above = -Infinity, below = Infinity } = bounds;
  const fits = Number.isFinite(rounded) && (rounded !== 0 || value === 0) && rounded < below &&
    rounded > above;
  return fits ? undefined : rounded;
}

/** Whether a number is one that an option takes. */
export function fitsNumber(option: Numeric, value: number): boolean {
  const fits = option.kind === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value);
  return fits && isWithin(option, value) && option.among?.includes(value) !== false;
}

/** Whether numbers are a list that an option takes. */
export function fitsNumbers(option: Numbers, numbers: readonly number[]): boolean {
  const { count: [few, many], order } = option;
  const ordered = order === "different"
    ? new Set(numbers).size === numbers.length
    : order === "any" || numbers.every((number, i) => i === 0 || number >= numbers[i - 1]);
  const each = (number: number): boolean =>
    Number.isFinite(number) && isWithin(option, number) &&
    lostIn32Bits(option, number) === undefined;
  return numbers.length >= few && numbers.length <= many && ordered && numbers.every(each);
}
