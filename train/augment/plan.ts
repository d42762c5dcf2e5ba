import { cropFlip, type CropWriter, randomResizedCrop } from "../../data/augment.ts";
import type { PictureSize } from "../../data/picture.ts";
import type { Preparation } from "../../data/preparation.ts";
import type { Random } from "../../data/random.ts";
import type { TrainOptions } from "../options/train_options.ts";
import type { Mixing, Stage } from "./stage.ts";
import { mixingOf, type Shown, stagesOf } from "./stages.ts";

/** What is done to training images, in this order. */
export interface AugmentationPlan {
  /** The crop of an image of some size, given random numbers of its own. */
  readonly crop: (random: Random, source: PictureSize) => CropWriter;
  /** Augmentations of what has been cropped. */
  readonly stages: readonly Stage[];
  /** What is done last, to images in pairs. */
  readonly mixing?: Mixing;
}

/** Two numbers of an option that has just two. */
function pair([low, high]: readonly number[]): [number, number] {
  return [low, high];
}

/** The crop that the options name, for images that are shown at the size of their set. */
function cropOf(
  { augment, scale, ratio, hflip, vflip }: TrainOptions,
  { height, width }: PictureSize,
): AugmentationPlan["crop"] {
  const flips = { hflip, vflip };
  // A pad of an eighth: 4 pixels at 32, as is usual for CIFAR. The same on all sides, so that a crop
  // of a long image keeps most of its short side.
  const eighth = Math.round(Math.min(height, width) / 8);
  switch (augment) {
    case "none":
    case "crop":
    case "crop-flip": {
      const padding = augment === "none" ? 0 : eighth;
      return (random, source) =>
        cropFlip({ random, size: width, height, padding, source, ...flips });
    }
    case "resized-crop":
      return (random, source) =>
        randomResizedCrop({
          random,
          sourceHeight: source.height,
          sourceWidth: source.width,
          outputSize: width,
          outputHeight: height,
          scale: pair(scale),
          ratio: pair(ratio),
          ...flips,
        });
  }
}

/** The augmentation of training images that the options name. */
export function augmentationPlan(options: TrainOptions, shown: Shown): AugmentationPlan {
  return {
    crop: cropOf(options, shown),
    stages: stagesOf(options, shown),
    mixing: mixingOf(options, shown),
  };
}

/** How far the side of a level may exceed that of images, so that batches stay in memory. */
const MOST_REDUCED = 4;

/**
 * The side of the levels that crops are taken from: with w / h = r, the sides of a crop of a part s
 * of a square of side a are a * sqrt(s r) and a * sqrt(s / r), and the least of them is to have as
 * many pixels as the output.
 */
function levelSide({ augment, scale, ratio }: TrainOptions, size: number): number {
  if (augment !== "resized-crop") return size;
  const least = Math.min(ratio[0], 1 / ratio[1]);
  const side = Math.ceil(size / Math.sqrt(scale[0] * Math.min(least, 1)));
  return Math.min(side, MOST_REDUCED * size);
}

/** How pictures are made ready to be trained and validated on. */
export function preparations(
  options: TrainOptions & { readonly imageSize: number },
): { readonly train: Preparation; readonly validation: Preparation } {
  const { imageSize: size, channels, cropPct, interpolation } = options;
  const side = levelSide(options, size);
  return {
    train: { kind: "level", channels, side, area: 2 * side ** 2 },
    validation: { kind: "central", channels, size, cropPct, interpolation },
  };
}
