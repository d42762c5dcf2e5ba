import { printable } from "../../data/printable.ts";

/** The texts of a policy of RandAugment. */
export const RAND_POLICY = {
  pattern: /^rand-m(10|\d)-n([1-9])(?:-mstd(\d+(?:\.\d+)?))?(?:-inc([01]))?$/,
  words:
    "rand-mM-nN with a magnitude M from 0 to 10 and N operations from 1 to 9, then -mstdS and " +
    "-inc1 if wanted",
} as const;

/** A policy of RandAugment, as timm's. */
export interface RandPolicy {
  /** From 0 to 10. */
  readonly magnitude: number;
  /** Operations on each image, one after another. */
  readonly layers: number;
  /** The standard deviation of the magnitude, which stays within 0 and 10. */
  readonly deviation: number;
  /** Whether all operations change images the more the larger the magnitude is. */
  readonly increasing: boolean;
}

/** Reads a policy such as `rand-m9-n2-mstd0.5-inc1`. Raises a `RangeError` for another text. */
export function parseRandPolicy(text: string): RandPolicy {
  const found = RAND_POLICY.pattern.exec(text);
  if (!found) {
    throw new RangeError(
      `Cannot read a policy of RandAugment: wanted ${RAND_POLICY.words}, found ${printable(text)}`,
    );
  }
  const [, magnitude, layers, deviation = "0", increasing] = found;
  return {
    magnitude: Number(magnitude),
    layers: Number(layers),
    deviation: Number(deviation),
    increasing: increasing === "1",
  };
}
