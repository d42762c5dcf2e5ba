import { printableJson } from "./printable.ts";

/** What a number may be. */
export interface NumberRange {
  /** The least; none unless told. */
  readonly from?: number;
  /** What it has to be greater than. */
  readonly above?: number;
  /** The greatest; any finite number unless told. */
  readonly to?: number;
  /** What it has to be less than. */
  readonly below?: number;
  /** Whether it has to be whole. */
  readonly whole?: boolean;
}

function inWords({ from, above, to, below, whole }: NumberRange): string {
  const bounds = [
    from === undefined
      ? ""
      : to === undefined && below === undefined
      ? `from ${from} on`
      : `from ${from}`,
    above === undefined ? "" : `above ${above}`,
    to === undefined ? "" : `to ${to}`,
    below === undefined ? "" : `and below ${below}`,
  ].filter((text) => text).join(" ");
  return `${whole ? "a whole" : "a finite"} number ${bounds}`.trim();
}

/**
 * Raises a `RangeError` for a number outside a range, NaN and infinities included, and a `TypeError`
 * for what is no number. `action` is what cannot be done, `what` the name of the number.
 */
export function checkNumber(
  action: string,
  what: string,
  value: unknown,
  range: NumberRange = {},
): void {
  const { from = -Infinity, above = -Infinity, to = Infinity, below = Infinity, whole } = range;
  const isNumber = typeof value === "number";
  if (
    isNumber && Number.isFinite(value) && value >= from && value > above && value <= to &&
    value < below && (!whole || Number.isInteger(value))
  ) return;
  const found = isNumber ? String(value) : printableJson(value);
  const problem = `Cannot ${action}: wanted ${what} to be ${inWords(range)}, found ${found}`;
  throw isNumber ? new RangeError(problem) : new TypeError(problem);
}
