import type { Lap } from "../gpu/stopwatch.ts";

/** Milliseconds of a pass. */
export interface PassTime {
  /** What it takes. */
  readonly own: number;
  /** What lies between the end of those before it and its beginning. */
  readonly pause: number;
}

/**
 * How long passes took, each from the end of all before it at the earliest: Dawn notes the beginning
 * of a pass when it is read, not when it has its turn. Nothing is less than nothing, though clocks go
 * backwards when a device changes its pace.
 */
export function passTimes(laps: readonly Lap[]): PassTime[] {
  let last = laps.length ? laps[0].begin : 0;
  return laps.map(({ begin, end }) => {
    const from = Math.max(begin, last);
    const found = { own: Math.max(0, end - from), pause: from - last };
    last = Math.max(last, end);
    return found;
  });
}
