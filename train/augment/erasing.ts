import type { Normalization } from "../../data/dataset.ts";
import { checkNumber } from "../../data/number_check.ts";
import type { PictureSize } from "../../data/picture.ts";
import type { Random } from "../../data/random.ts";
import { erase } from "../../kernels/ops/erase.ts";
import type { Stage } from "./stage.ts";

/** The least and the greatest part of an image's area in a rectangle, and its height over width. */
const AREA = [0.02, 1 / 3] as const;
const ASPECT = [0.3, 1 / 0.3] as const;
const TRIES = 10;

/** What {@link erasing} erases. */
export interface ErasingOptions extends PictureSize {
  /** The part of the images of which a rectangle is erased, from 0 to 1. */
  readonly probability: number;
  /** What is put there: the mean colour, or noise in each pixel with the mean and deviation. */
  readonly mode: "const" | "pixel";
  /** Means and deviations. */
  readonly normalization: Normalization;
}

/** A rectangle (y, x, height, width), of no size where none of ten tries fits. */
function rectangle(random: Random, { height, width }: PictureSize): number[] {
  const between = ([low, high]: readonly number[]) => low + (high - low) * random.uniform();
  for (let tries = 0; tries < TRIES; tries++) {
    const area = between(AREA) * height * width;
    const aspect = Math.exp(between(ASPECT.map(Math.log)));
    const h = Math.round(Math.sqrt(area * aspect));
    const w = Math.round(Math.sqrt(area / aspect));
    if (h >= height || w >= width) continue;
    return [random.integer(height - h + 1), random.integer(width - w + 1), h, w];
  }
  return [0, 0, 0, 0];
}

/**
 * Random erasing, as timm's `--reprob`: a rectangle of 2 % to a third of the area, at most 10 times
 * as long as wide, is filled. Raises a `RangeError` for a probability outside [0, 1].
 */
export function erasing({ probability, mode, normalization, ...size }: ErasingOptions): Stage {
  checkNumber("erase rectangles", "the probability", probability, { from: 0, to: 1 });
  const { mean, std } = normalization;
  const attributes = {
    fill: mean.map((m) => 255 * m),
    spread: std.map((s) => mode === "pixel" ? 255 * s : 0),
  };
  return {
    draw: {
      name: "erasing",
      numbers: 5,
      fill(numbers, { length, image }) {
        for (let row = 0; row < length; row++) {
          const random = image(row);
          const drawn = random.uniform() < probability
            ? [...rectangle(random, size), random.integer(2 ** 24)]
            : [0, 0, 0, 0, 0];
          numbers.set(drawn, row * 5);
        }
      },
    },
    record: (apply, images, numbers) => apply(erase, [images, numbers], attributes)[0],
  };
}
