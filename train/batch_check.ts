import type { Batch } from "../data/batch.ts";
import type { ImageSet } from "../data/dataset.ts";
import { checkNumber } from "../data/number_check.ts";
import type { Draw } from "../data/draws.ts";
import type { PictureSet } from "../data/pictures.ts";
import { frameOf } from "../data/rows.ts";

/** What the batches of a program are made for. */
interface BatchFrame {
  /** Where the images are from. */
  readonly source: ImageSet | PictureSet;
  /** Images in a batch. */
  readonly batch: number;
  /** What is drawn for the augmentations. */
  readonly draws: readonly Draw[];
  /** The size that they are cropped to. */
  readonly to: { readonly height: number; readonly width: number };
}

/** Whether a crop from x0 on, of `size` steps, meets the source's pixels. */
function meets(x0: number, step: number, size: number, source: number): boolean {
  const x1 = x0 + step * size;
  return step !== 0 && Math.min(x0, x1) < source && Math.max(x0, x1) > 0;
}

/**
 * Raises a `TypeError` for a batch of other arrays or sizes than a program takes, and a `RangeError`
 * for labels that are no classes, a count that is none, and crops that lie beside the image or are no
 * numbers. Looks at no pixels: a step must not wait for that.
 */
export function checkBatch(
  { pixels, crops, labels, count, sizes, draws: drawn = [] }: Batch,
  { source, batch, to, draws }: BatchFrame,
): void {
  const frame = frameOf(source);
  const bytes = batch * frame.bytes;
  const arrays = [
    ...frame.varied
      ? [{ what: "heights and widths", found: sizes, kind: Uint32Array, length: 2 * batch }]
      : [],
    { what: "pixels", found: pixels, kind: Uint8Array, length: bytes },
    { what: "labels", found: labels, kind: Uint32Array, length: batch },
    { what: "crops", found: crops, kind: Float32Array, length: 4 * batch },
    ...draws.map(({ name, numbers }, i) => ({
      what: `numbers of ${name}`,
      found: drawn[i],
      kind: Float32Array,
      length: numbers * batch,
    })),
  ];
  for (const { what, found, kind, length } of arrays) {
    if (found instanceof kind && found.length === length) continue;
    const is = ArrayBuffer.isView(found)
      ? `${found.length} in a ${found.constructor.name}`
      : "none";
    throw new TypeError(
      `Cannot use a batch of ${batch} images of ${source.name}: wanted ${length} ${what} in a ` +
        `${kind.name}, found ${is}`,
    );
  }
  const whole = pixels.byteOffset % 4 === 0 &&
    pixels.byteOffset + Math.ceil(bytes / 4) * 4 <= pixels.buffer.byteLength;
  if (!whole) {
    throw new TypeError(
      `Cannot use a batch of ${batch} images of ${source.name}: wanted pixels in whole words of 32 ` +
        `bits, with zeros behind them`,
    );
  }
  const action = `use a batch of ${batch} images of ${source.name}`;
  checkNumber(action, "the count", count, { from: 1, to: batch, whole: true });
  for (let i = 0; i < count; i++) {
    if (labels[i] >= source.classes.length) {
      throw new RangeError(
        `Cannot ${action}: wanted labels below its ${source.classes.length} classes, found ` +
          `${labels[i]} at image ${i}`,
      );
    }
  }
  for (let i = 0; i < batch; i++) {
    const [x0, y0] = [crops[4 * i], crops[4 * i + 1]];
    const [stepX, stepY] = [crops[4 * i + 2], crops[4 * i + 3]];
    const [height, width] = frame.varied && sizes
      ? [sizes[2 * i], sizes[2 * i + 1]]
      : [source.height, source.width];
    if (height * width * source.channels > frame.bytes) {
      throw new RangeError(
        `Cannot ${action}: wanted images of at most ${frame.bytes} bytes, found ${height}x${width} ` +
          `pixels at image ${i}`,
      );
    }
    if (meets(x0, stepX, to.width, width) && meets(y0, stepY, to.height, height)) continue;
    throw new RangeError(
      `Cannot ${action}: wanted crops that show part of ${height}x${width} pixels, ` +
        `found x0, y0, stepX, stepY = ${x0}, ${y0}, ${stepX}, ${stepY} at image ${i}`,
    );
  }
}
