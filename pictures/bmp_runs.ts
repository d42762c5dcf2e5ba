import { BrokenPictureError } from "../data/broken_picture.ts";

/** The size of a picture packed in runs. */
interface Packed {
  readonly width: number;
  readonly height: number;
  /** Bits of the number of a colour: 4 or 8. */
  readonly bits: number;
}

/** What follows a 0 in place of a count. */
const [END_OF_ROW, END, MOVE] = [0, 1, 2];

/**
 * The numbers of the colours, one a byte, top row first, of a BMP packed in runs (RLE8, RLE4), which
 * has its rows from the bottom. Pixels that it passes over are 0.
 */
export function runLengths(bytes: Uint8Array, { width, height, bits }: Packed): Uint8Array {
  const indices = new Uint8Array(width * height);
  let [x, y, at] = [0, height - 1, 0];
  const put = (index: number): void => {
    if (x < width && y >= 0) indices[y * width + x] = index;
    x++;
  };
  const nibble = (byte: number, i: number): number => i % 2 === 0 ? byte >> 4 : byte & 15;
  while (at + 1 < bytes.length) {
    const [count, value] = [bytes[at], bytes[at + 1]];
    at += 2;
    if (count > 0) {
      for (let i = 0; i < count; i++) put(bits === 8 ? value : nibble(value, i));
    } else if (value === END_OF_ROW) [x, y] = [0, y - 1];
    else if (value === END) return indices;
    else if (value === MOVE) {
      x += bytes[at];
      y -= bytes[at + 1];
      at += 2;
    } else {
      const size = Math.ceil(value * bits / 8);
      if (at + size > bytes.length) break;
      for (let i = 0; i < value; i++) {
        put(bits === 8 ? bytes[at + i] : nibble(bytes[at + (i >> 1)], i));
      }
      at += size + size % 2;
    }
  }
  throw new BrokenPictureError("a BMP picture that ends early");
}
