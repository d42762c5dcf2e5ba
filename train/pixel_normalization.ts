import { curable, cure } from "../data/cure.ts";
import { type AnySplit, IMAGENET, type Normalization } from "../data/dataset.ts";
import { UsageError } from "./errors.ts";
import { type Given, metadataJson } from "./given.ts";
import type { TrainOptions } from "./types.ts";

/** The normalisation that a run of ours has saved with its weights. */
function saved(given: Given, channels: number): Normalization | undefined {
  const [mean, std] = [metadataJson(given, "mean"), metadataJson(given, "std")];
  const fits = (found: unknown): found is number[] =>
    Array.isArray(found) && found.length === channels && found.every(Number.isFinite);
  return fits(mean) && fits(std) && std.every((x) => x > 0) ? { mean, std } : undefined;
}

/**
 * The split with the normalisation of the run, and what to tell of it: that of the options; else
 * what the file says; else ImageNet's where there is a file and images have three channels. Raises
 * a {@link UsageError} for ImageNet's with other channels.
 */
export function normalized(
  { normalization: choice }: TrainOptions,
  split: AnySplit,
  given: Given | undefined,
): { readonly split: AnySplit; readonly notes: readonly string[] } {
  const { name, channels } = split.train;
  const own = given && !choice ? saved(given, channels) : undefined;
  if (own && given) {
    return {
      split: { ...split, normalization: own },
      notes: [`images are normalised as ${given.file} says`],
    };
  }
  if (choice === "imagenet" && channels !== 3) {
    throw curable(
      UsageError,
      `Cannot normalise ${name} as imagenet: wanted images of 3 channels, found ${channels}`,
      cure`use ${{ option: "normalization" }} data`,
    );
  }
  if (choice === "imagenet" || (given && !choice && channels === 3)) {
    return {
      split: { ...split, normalization: IMAGENET },
      notes: ["images are normalised by ImageNet's mean and deviation"],
    };
  }
  const notes = given ? ["images are normalised by the training images' mean and deviation"] : [];
  return { split, notes };
}
