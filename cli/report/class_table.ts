import { printable } from "../../data/printable.ts";
import { percent } from "../../data/words.ts";
import type { ClassScore } from "../../train/class_scores.ts";
import type { Mistake, NamedScore } from "../../train/described.ts";
import { columns, grouped } from "../text.ts";

/** Classes that the table has at most: of more, those with the least F1. */
const MOST_CLASSES = 20;

/** Mistakes that are listed. */
const MOST_MISTAKES = 10;

/** Precision, recall, F1 and counts of each class, as a table; of many classes of the worst ones. */
export function classTable(
  scores: readonly NamedScore[],
  macro: Pick<ClassScore, "precision" | "recall" | "f1">,
): string[] {
  const shown = scores.length > MOST_CLASSES
    ? scores.filter(({ images }) => images).sort((a, b) => a.f1 - b.f1).slice(0, MOST_CLASSES)
    : scores;
  const few = shown.length < scores.length
    ? ` (the worst ${shown.length} of ${scores.length})`
    : "";
  return columns([
    [`class${few}`, "precision", "recall", "F1", "images", "predicted"],
    ...shown.map(({ class: name, precision, recall, f1, images, predicted }) => [
      ...[printable(name, 40), percent(precision), percent(recall), percent(f1)],
      ...[grouped(images), grouped(predicted)],
    ]),
    ["mean of classes", percent(macro.precision), percent(macro.recall), percent(macro.f1), "", ""],
  ]);
}

/** The most confident mistakes, a line each; nothing where there are none. */
export function mistakeLines(mistakes: readonly Mistake[]): string[] {
  if (mistakes.length === 0) return [];
  return [
    "most confident mistakes",
    ...columns(
      mistakes.slice(0, MOST_MISTAKES).map((mistake) => [
        typeof mistake.image === "number"
          ? `image ${mistake.image}`
          : printable(mistake.image, 300),
        `${printable(mistake.class, 40)}, taken for ${printable(mistake.predicted, 40)}`,
        percent(mistake.probability),
      ]),
      [0, 1],
    ).map((line) => `  ${line}`),
  ];
}
