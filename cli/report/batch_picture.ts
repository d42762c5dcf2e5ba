import { printable } from "../../data/printable.ts";
import { percent, plural } from "../../data/words.ts";
import type { AugmentedImage } from "../../train/augmented_batch.ts";
import { drawGrid } from "./image_grid.ts";

/** Images in the picture at most. */
const MOST = 64;

/** The lines below an image: its class, or both with their shares. */
function labelOf({ classes }: AugmentedImage, letters: number): string[] {
  if (classes.length === 1) return [printable(classes[0].name, letters)];
  return classes.map(({ name, share }) => {
    const part = percent(share);
    return `${printable(name, Math.max(4, letters - part.length - 1))} ${part}`;
  });
}

/** Draws training images in rows, with their classes below; gives a PNG. */
export async function drawBatch(
  images: readonly AugmentedImage[],
  title: string,
): Promise<Uint8Array> {
  const shown = images.slice(0, MOST);
  const count = shown.length < images.length
    ? `the first ${shown.length} of ${plural(images.length, "image")}`
    : plural(images.length, "image");
  const cells = shown.map((image) => ({
    picture: image.picture,
    lines: (letters: number) => labelOf(image, letters),
  }));
  return await drawGrid(cells, `${title}: ${count}`);
}
