import { checkNumber } from "./number_check.ts";
import type { Random } from "./random.ts";

/**
 * The logarithm of a number from the gamma distribution of a shape (Marsaglia and Tsang 2000). In
 * logarithms, as numbers of small shapes are often less than any that there is.
 */
function logGamma(random: Random, shape: number): number {
  // Of a shape below 1: gamma(shape + 1) · u^(1 / shape), u in (0, 1].
  if (shape < 1) return logGamma(random, shape + 1) + Math.log(1 - random.uniform()) / shape;
  const d = shape - 1 / 3;
  while (true) {
    const x = random.normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v <= 0) continue;
    const u = 1 - random.uniform();
    if (Math.log(u) < x * x / 2 + d * (1 - v + Math.log(v))) return Math.log(d * v);
  }
}

/**
 * A number in [0, 1] from the beta distribution with both shapes `alpha`: 1/2 in the mean, near 0 or 1
 * for a small alpha, uniform for 1. Raises a `RangeError` unless alpha is above 0.
 */
export function beta(random: Random, alpha: number): number {
  checkNumber("draw from a beta distribution", "alpha", alpha, { above: 0 });
  const x = logGamma(random, alpha);
  const y = logGamma(random, alpha);
  return 1 / (1 + Math.exp(y - x));
}
