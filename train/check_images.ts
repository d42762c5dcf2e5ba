import type { ImageSet } from "../data/image_set.ts";
import { printable } from "../data/printable.ts";
import type { CheckpointInfo } from "../export/metadata.ts";
import { UsageError } from "./errors.ts";

/** "10 classes (cat, dog, cow, ...) of images of 32x32x3", height first. */
function words(classes: readonly string[], image: readonly number[]): string {
  const shown = classes.slice(0, 3).map((name) => printable(name, 40));
  const names = [...shown, ...classes.length > 3 ? ["..."] : []].join(", ");
  return `${classes.length} classes (${names}) of images of ${image.join("x")}`;
}

/** Raises a {@link UsageError} unless a saved network is one for the images of a data set. */
export function checkImages(
  { classes, image }: CheckpointInfo,
  { dataset, file }: { dataset: ImageSet; file: string },
): void {
  const { height, width, channels, name } = dataset;
  const found = words(dataset.classes, [height, width, channels]);
  const wanted = words(classes, image);
  const equal = image.join() === [height, width, channels].join() &&
    classes.length === dataset.classes.length &&
    classes.every((name, label) => name === dataset.classes[label]);
  if (equal) return;
  throw new UsageError(
    `Cannot run ${
      printable(file, 300)
    } on ${name}: wanted ${wanted}, found ${found}; name the data set that it ` +
      `was trained on`,
  );
}
