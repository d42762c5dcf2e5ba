/** How well the images of one class are told from others. */
export interface ClassScore {
  /** The part of the images given this class that are of it; 0 where none is given it. */
  readonly precision: number;
  /** The part of the images of this class that are given it; 0 where there are none. */
  readonly recall: number;
  /** The harmonic mean of precision and recall; 0 where both are. */
  readonly f1: number;
  /** Images of this class. */
  readonly images: number;
  /** Images that are given this class. */
  readonly predicted: number;
}

/** A quotient; 0 over 0 is 0, as scikit-learn has it. */
function over(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/**
 * Precision, recall and F1 of each class.
 *
 * @param counts `[classes, classes]`: images of each class, by the class that they are given.
 */
export function classScores(
  { classes, counts }: { readonly classes: number; readonly counts: ArrayLike<number> },
): ClassScore[] {
  const images = new Array<number>(classes).fill(0);
  const predicted = new Array<number>(classes).fill(0);
  for (let label = 0; label < classes; label++) {
    for (let given = 0; given < classes; given++) {
      images[label] += counts[label * classes + given];
      predicted[given] += counts[label * classes + given];
    }
  }
  return images.map((count, label) => {
    const right = counts[label * classes + label];
    return {
      precision: over(right, predicted[label]),
      recall: over(right, count),
      // 2 p r / (p + r), with p = right / predicted and r = right / images.
      f1: over(2 * right, predicted[label] + count),
      images: count,
      predicted: predicted[label],
    };
  });
}

/** Plain means of precision, recall and F1 over the classes that have images or are given to some. */
export function macroScore(
  scores: readonly ClassScore[],
): Pick<ClassScore, "precision" | "recall" | "f1"> {
  const found = scores.filter(({ images, predicted }) => images + predicted > 0);
  const mean = (of: (score: ClassScore) => number): number =>
    over(found.reduce((sum, score) => sum + of(score), 0), found.length);
  return {
    precision: mean(({ precision }) => precision),
    recall: mean(({ recall }) => recall),
    f1: mean(({ f1 }) => f1),
  };
}
