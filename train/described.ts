import type { Dataset } from "../data/dataset.ts";
import { arePictures, type PictureSet } from "../data/pictures.ts";
import { type ClassScore, classScores, macroScore } from "./class_scores.ts";
import type { Predictions } from "./predictions.ts";

/** A class by its name, and how well it is told from others. */
export interface NamedScore extends ClassScore {
  /** The name of the class. */
  readonly class: string;
}

/** An image that is given another class than its own. */
export interface Mistake {
  /** Its file; the index in the set where that is in memory. */
  readonly image: string | number;
  /** The name of its class. */
  readonly class: string;
  /** The name of the class that it is given. */
  readonly predicted: string;
  /** Probability of the predicted class, from 0 to 1. */
  readonly probability: number;
}

/** Predictions by the names of classes and files. */
export interface Described {
  /** Of each class, in the order of the logits. */
  readonly classes: readonly NamedScore[];
  /** Plain means over the classes. */
  readonly macro: Pick<ClassScore, "precision" | "recall" | "f1">;
  /** Images of each class (rows) by the class that they are given (columns). */
  readonly confusion: readonly (readonly number[])[];
  /** The most confident ones, 100 at most. */
  readonly mistakes: readonly Mistake[];
}

/** Describes predictions for the images of a set. */
export function describe(
  { classes, counts, mistakes }: Predictions,
  dataset: Dataset | PictureSet,
): Described {
  const { classes: names } = dataset;
  const scores = classScores({ classes, counts });
  return {
    classes: scores.map((score, label) => ({ class: names[label], ...score })),
    macro: macroScore(scores),
    confusion: names.map((_, i) => Array.from(counts.subarray(i * classes, (i + 1) * classes))),
    mistakes: mistakes.map(({ place, label, predicted, probability }) => ({
      image: arePictures(dataset) ? dataset.files[place] : place,
      class: names[label],
      predicted: names[predicted],
      probability,
    })),
  };
}
