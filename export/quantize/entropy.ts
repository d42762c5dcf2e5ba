import type { Histogram } from "./histogram.ts";
import type { Range } from "./range.ts";

/** Thresholds that are tried. */
const TRIED = 128;

/** Steps from the lowest to the highest number of 8 bits. */
const STEPS = 255;

/**
 * How far the first `kept` bins are from themselves in `levels` levels, those beyond cut off: the
 * Kullback-Leibler divergence of the two distributions, in nats.
 */
function divergence(counts: Float64Array, kept: number, levels: number, all: number): number {
  const inside = counts.subarray(0, kept);
  const within = inside.reduce((sum, count) => sum + count, 0);
  // What is cut off has the value of the last that is not.
  const last = inside.findLastIndex((count) => count > 0);
  let sum = 0;
  for (let level = 0; level < levels; level++) {
    const [from, to] = [level, level + 1].map((n) => Math.floor(n * kept / levels));
    let [total, filled] = [0, 0];
    for (let i = from; i < to; i++) {
      total += inside[i];
      if (inside[i]) filled++;
    }
    // Each level is spread over those of its bins that have values.
    const q = total / filled / within;
    for (let i = from; i < to; i++) {
      const p = (inside[i] + (i === last ? all - within : 0)) / all;
      if (p) sum += p * Math.log(p / q);
    }
  }
  return sum;
}

/**
 * The range whose 256 levels tell most of the values: the magnitude beyond which values are cut off
 * is the one of least Kullback-Leibler divergence (Migacz, "8-bit inference with TensorRT", 2017).
 * Zeros do not count, as they are exact.
 */
export function entropyRange(histogram: Histogram): Range {
  const { low, high, width } = histogram;
  const counts = histogram.magnitudes();
  const all = counts.reduce((sum, count) => sum + count, 0);
  const cut = (kept: number): Range => {
    const most = kept * width;
    return { low: Math.max(low, -most), high: Math.min(high, most) };
  };
  let best = { kept: counts.length, divergence: Infinity };
  for (let n = 1; n <= TRIED && all > 0; n++) {
    const kept = Math.ceil(n * counts.length / TRIED);
    const range = cut(kept);
    const length = Math.max(range.high, 0) - Math.min(range.low, 0);
    // Levels of magnitudes: all of them where values have one sign, half of them where the range is even.
    const levels = Math.max(1, Math.round(STEPS * kept * width / length));
    if (kept < levels) continue;
    const found = divergence(counts, kept, levels, all);
    if (found <= best.divergence) best = { kept, divergence: found };
  }
  return cut(best.kept);
}
