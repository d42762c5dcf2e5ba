import type { AnySplit, Normalization } from "../../data/dataset.ts";
import { curable, cure } from "../../data/cure.ts";
import { abridged } from "../../data/words.ts";
import { printable } from "../../data/printable.ts";
import { isModelFile } from "../../export/model_file_name.ts";
import { UsageError } from "../errors.ts";
import type { TrainingState } from "./training_state.ts";

/** What differs in two lists of names, in words. */
function difference(there: readonly string[], here: readonly string[]): string {
  const [gone, fresh] = [
    there.filter((name) => !here.includes(name)),
    here.filter((name) => !there.includes(name)),
  ];
  const words = (names: readonly string[]): string =>
    abridged(names.map((name) => printable(name)), 3);
  if (fresh.length) return `the class ${words(fresh)} is new`;
  return gone.length ? `the class ${words(gone)} is gone` : "the classes are in another order";
}

function numbersOf({ mean, std }: Normalization): string {
  return [...mean, ...std].join();
}

/**
 * Images with the normalisation of the run that goes on with them. Raises a {@link UsageError} where
 * they are not those that it began with.
 */
export function sameImages(
  opened: AnySplit,
  { run: { classes, image, normalization, options } }: TrainingState,
): AnySplit {
  const { train } = opened;
  const refuse = (found: string): UsageError =>
    curable(
      UsageError,
      `Cannot go on: wanted the images that the run began with, found others: ${found}`,
      cure`name them by ${{ option: "dataDir", words: "data" }}`,
    );
  if (train.classes.join("\0") !== classes.join("\0")) {
    throw refuse(difference(classes, train.classes));
  }
  const sizes = [train.height, train.width, train.channels];
  if (sizes.join() !== image.join()) {
    throw refuse(`of ${sizes.join("x")} pixels and channels, not ${image.join("x")}`);
  }
  // Weights to start from bring their own.
  const brought = options.init !== undefined || isModelFile(options.model);
  const measured = !brought && options.normalization !== "imagenet";
  if (measured && numbersOf(opened.normalization) !== numbersOf(normalization)) {
    throw refuse("the mean and deviation of their pixels are not the same");
  }
  return { ...opened, normalization };
}
