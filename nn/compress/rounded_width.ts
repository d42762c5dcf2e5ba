import { printableJson } from "../../data/printable.ts";

/**
 * The multiple of `roundTo` that is nearest to `kept` of `size` channels: at least one multiple, and
 * at most all of them. All stay all.
 */
export function roundedWidth(kept: number, size: number, roundTo = 1): number {
  if (kept >= size) return size;
  return Math.min(size, Math.max(1, Math.round(kept / roundTo)) * roundTo);
}

/** Raises a `RangeError` for what widths cannot be multiples of. */
export function checkRoundTo(what: string, roundTo: number | undefined): void {
  if (roundTo === undefined || Number.isSafeInteger(roundTo) && roundTo >= 1) return;
  throw new RangeError(
    `Cannot ${what}: roundTo is a whole number from 1 on, found ${printableJson(roundTo)}`,
  );
}
