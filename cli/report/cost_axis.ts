/** How often the largest value has the smallest before an axis is logarithmic. */
const WIDE = 12;

/** Whether costs are so far apart that their axis is logarithmic. */
export function isWide([low, high]: readonly [number, number]): boolean {
  return low > 0 && high > WIDE * low;
}

/** 1, 2 and 5 times the powers of ten within a range; of more than `most` powers, the powers alone. */
export function logTicks([low, high]: readonly [number, number], most: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const digits = last - first > most ? [1] : [1, 2, 5];
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i))
    .flatMap((power) => digits.map((digit) => digit * power))
    .filter((value) => value >= low && value <= high);
}

/** Percent from a little below the least accuracy to a little above the largest. */
export function accuracyDomain(points: readonly { readonly top1: number }[]): [number, number] {
  const all = points.map(({ top1 }) => 100 * top1);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = Math.max(0.5, 0.12 * (high - low));
  return [Math.max(0, low - room), Math.min(100, high + room)];
}
