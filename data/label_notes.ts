import type { ImageSet } from "./dataset.ts";
import { printable } from "./printable.ts";
import { countClasses } from "./stratified.ts";
import { abridged } from "./words.ts";

/** Classes that a note names at most. */
const NAMED = 6;

/** How much more images one class may have than another before it is said. */
const UNEVEN = 1.5;

/** `class 3 (cat)` without more than the name, for one or some classes. */
function named(classes: readonly string[], labels: readonly number[]): string {
  const names = labels.map((label) => printable(classes[label], 40));
  return `${labels.length === 1 ? "class" : "classes"} ${abridged(names, NAMED)}`;
}

/** Says how many images there are of each class, where that is uneven. */
function unevenness(what: string, classes: readonly string[], counts: readonly number[]): string[] {
  const found = counts.filter((count) => count > 0);
  const [least, most] = [Math.min(...found), Math.max(...found)];
  if (most - least < 2 || most <= UNEVEN * least) return [];
  const each = classes.flatMap((name, label) =>
    counts[label] > 0 ? [`${printable(name, 40)} ${counts[label]}`] : []
  );
  return [`${what} images are ${least} to ${most} of each class: ${abridged(each, 10)}`];
}

/**
 * What there is to say of the labels of a set, a sentence each: classes without images, with images
 * of one half only, and how many images there are of each class where that is uneven.
 */
export function labelNotes(train: ImageSet, validation: ImageSet): string[] {
  const { classes } = train;
  const counts = countClasses(train.labels, classes.length);
  const ofValidation = countClasses(validation.labels, classes.length);
  const labels = classes.map((_, label) => label);
  const nowhere = labels.filter((label) => !counts[label] && !ofValidation[label]);
  const onlyValidation = labels.filter((label) => !counts[label] && ofValidation[label]);
  const onlyTraining = labels.filter((label) => counts[label] && !ofValidation[label]);
  const word = validation.part ?? "validation";
  const notes: string[] = [];
  if (nowhere.length) {
    const last = classes.length - 1;
    const cause = nowhere.join() === "0"
      ? "; labels begin at 1"
      : nowhere.includes(last)
      ? ""
      : `; labels go up to ${last}`;
    notes.push(`no images of ${named(classes, nowhere)}, out of ${classes.length}${cause}`);
  }
  if (onlyValidation.length) {
    notes.push(`no training images of ${named(classes, onlyValidation)}, but ${word} images`);
  }
  if (onlyTraining.length) {
    notes.push(`no ${word} images of ${named(classes, onlyTraining)}, but training images`);
  }
  return [...notes, ...unevenness("training", classes, counts)];
}
