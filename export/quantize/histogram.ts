import { DataError } from "../../data/error.ts";
import { printable } from "../../data/printable.ts";

/** Bins on either side of 0. */
const BINS = 4096;

/**
 * Counts of values in bins of one width. Widths are powers of two and double when a value does not
 * fit, so that counts depend neither on the order of values nor on batches.
 */
export class Histogram {
  /** Of values from `i · width` on: first those below 0, from `-BINS` on. */
  #counts = new Float64Array(2 * BINS);
  #width = 2 ** -40;
  #zeros = 0;
  #count = 0;
  #low = Infinity;
  #high = -Infinity;

  /** `name` is that of the value, for errors. */
  constructor(readonly name: string) {}

  /** The smallest value. */
  get low(): number {
    return this.#low;
  }

  /** The largest value. */
  get high(): number {
    return this.#high;
  }

  /** How many values there are. */
  get count(): number {
    return this.#count;
  }

  /** How many of them are 0 exactly; they are in no bin. */
  get zeros(): number {
    return this.#zeros;
  }

  /** The width of a bin. */
  get width(): number {
    return this.#width;
  }

  /** Counts values. Raises a {@link DataError} for one that is no finite number. */
  add(values: Float32Array): void {
    let [low, high] = [this.#low, this.#high];
    for (const value of values) {
      if (!Number.isFinite(value)) {
        throw new DataError(
          `Cannot calibrate ${printable(this.name)}: wanted finite numbers on training images, ` +
            `found ${value}; take other weights`,
        );
      }
      if (value < low) low = value;
      if (value > high) high = value;
    }
    [this.#low, this.#high] = [low, high];
    this.#widen(Math.max(-low, high));
    const counts = this.#counts;
    const perUnit = 1 / this.#width;
    let zeros = 0;
    for (const value of values) {
      if (value === 0) zeros++;
      else counts[Math.floor(value * perUnit) + BINS]++;
    }
    this.#zeros += zeros;
    this.#count += values.length;
  }

  /** Doubles the width until a magnitude fits. */
  #widen(magnitude: number): void {
    while (magnitude >= BINS * this.#width) {
      const merged = new Float64Array(2 * BINS);
      for (let i = -BINS; i < BINS; i++) {
        merged[Math.floor(i / 2) + BINS] += this.#counts[i + BINS];
      }
      this.#counts = merged;
      this.#width *= 2;
    }
  }

  /** The upper bound of the values of which `part`, in (0, 1], lies below it; to a bin. */
  below(part: number): number {
    const wanted = part * this.#count;
    let found = 0;
    for (let i = -BINS; i < BINS; i++) {
      if (i === 0) {
        found += this.#zeros;
        if (found >= wanted) return 0;
      }
      found += this.#counts[i + BINS];
      if (found >= wanted) return (i + 1) * this.#width;
    }
    return this.#high;
  }

  /** Counts of magnitudes, but for zeros: the i-th of those in `i · width` to `(i + 1) · width`. */
  magnitudes(): Float64Array {
    const used = Math.floor(Math.max(-this.#low, this.#high, 0) / this.#width) + 1;
    return Float64Array.from(
      { length: Math.min(BINS, used) },
      (_, i) => this.#counts[BINS + i] + this.#counts[BINS - 1 - i],
    );
  }
}
