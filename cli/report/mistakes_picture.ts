import type { Dataset } from "../../data/dataset.ts";
import type { Picture } from "../../data/picture.ts";
import { arePictures, type PictureSet } from "../../data/pictures.ts";
import { printable } from "../../data/printable.ts";
import { imageAt } from "../../data/rows.ts";
import { percent } from "../../data/words.ts";
import type { Prediction } from "../../train/predictions.ts";
import { drawGrid, type GridImage } from "./image_grid.ts";

/** Mistakes in the picture at most. */
const MOST = 48;

/** An image as the network sees it; nothing where it cannot be read any more. */
export async function shownTo(
  dataset: Dataset | PictureSet,
  place: number,
): Promise<Picture | undefined> {
  if (arePictures(dataset)) return await dataset.source.read(place);
  const { height, width, channels } = dataset;
  return { height, width, channels, pixels: Uint8Array.from(imageAt(dataset, place).pixels) };
}

/**
 * Draws the most confident mistakes: below each image its class, the class that it is given, and how
 * probable that is. Gives a PNG.
 */
export async function drawMistakes(
  mistakes: readonly Prediction[],
  dataset: Dataset | PictureSet,
  title: string,
): Promise<Uint8Array> {
  const { classes } = dataset;
  const images: GridImage[] = [];
  for (const { place, label, predicted, probability } of mistakes.slice(0, MOST)) {
    const picture = await shownTo(dataset, place);
    if (!picture) continue;
    images.push({
      picture,
      lines: (letters) => [
        printable(classes[label], letters - 3),
        `→ ${printable(classes[predicted], letters - 5)}`,
        percent(probability),
      ],
    });
  }
  return await drawGrid(images, title);
}
