/** The smallest and the largest value that are told apart; what is beyond is cut off. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Numbers as `scale · (q - zero)`, with q a whole number. */
export interface Affine {
  /** A float32 above 0. */
  readonly scale: number;
  /** The q that stands for 0. */
  readonly zero: number;
}

/** The largest number of 8 bits without a sign. */
const MOST = 255;

/**
 * A range on the 256 numbers of 8 bits without a sign. 0 is among them exactly, as padding is 0, so
 * a range is made longer where it leaves it out (Jacob et al. 2018, arXiv 1712.05877, section 3).
 */
export function affineOf(range: Range): Affine {
  const low = Math.min(range.low, 0);
  const high = Math.max(range.high, 0);
  // Far below any value that matters; a range of length 0 has to have a scale, too.
  const scale = Math.max(Math.fround((high - low) / MOST), 2 ** -60);
  return { scale, zero: Math.min(MOST, Math.round((0 - low) / scale)) };
}
