import type { Histogram } from "./histogram.ts";
import type { Range } from "./range.ts";

/** The part of the values that is told apart: as much is cut off at either end. */
const KEPT = 0.9999;

/** The range of all values but the outermost, which would make the steps of all others longer. */
export function percentileRange(histogram: Histogram): Range {
  const end = (1 - KEPT) / 2;
  const low = histogram.below(end) - histogram.width;
  const high = histogram.below(1 - end);
  return { low: Math.max(low, histogram.low), high: Math.min(high, histogram.high) };
}
