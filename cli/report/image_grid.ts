import type { Picture } from "../../data/picture.ts";
import { paint, type PlacedPicture } from "../../pictures/paint.ts";
import { COLOURS, picture as svgPicture, textAt } from "./picture_document.ts";

/** Images in a row. */
const COLUMNS = 8;

/** Pixels of a side that small images are enlarged to at least, and large ones reduced to at most. */
const LEAST = 96;
const LARGEST = 256;

const MARGIN = 16;
const GAP = 12;
/** Above the first row, for the title. */
const TOP = 40;
/** From one line of a label to the next. */
const LINE = 14;
/** Pixels that a letter of a label takes about. */
const LETTER = 6.5;

/** An image and the lines below it. */
export interface GridImage {
  readonly picture: Picture;
  /** The lines, of so many letters at most. */
  readonly lines: (letters: number) => readonly string[];
}

/**
 * A picture of three channels with every pixel `enlarge` times in each direction, or the mean of
 * `reduce` pixels in each.
 */
export function scaled(
  { height, width, channels, pixels }: Picture,
  { enlarge, reduce }: { enlarge: number; reduce: number },
): Picture {
  const size = {
    height: Math.floor(height / reduce) * enlarge,
    width: Math.floor(width / reduce) * enlarge,
  };
  const drawn = new Uint8Array(size.height * size.width * 3);
  const mean = (y: number, x: number, c: number): number => {
    let sum = 0;
    for (let k = 0; k < reduce * reduce; k++) {
      const at = (y + Math.floor(k / reduce)) * width + x + k % reduce;
      sum += pixels[at * channels + Math.min(c, channels - 1)];
    }
    return Math.round(sum / (reduce * reduce));
  };
  for (let j = 0; j < size.height; j++) {
    for (let i = 0; i < size.width; i++) {
      const [y, x] = [j, i].map((at) => Math.floor(at / enlarge) * reduce);
      for (let c = 0; c < 3; c++) drawn[(j * size.width + i) * 3 + c] = mean(y, x, c);
    }
  }
  return { ...size, channels: 3, pixels: drawn };
}

/** Factors by which images are drawn at a size that can be looked at. */
function factors({ height, width }: Picture): { enlarge: number; reduce: number } {
  return {
    enlarge: Math.max(1, Math.ceil(LEAST / Math.max(height, width))),
    reduce: Math.max(1, Math.ceil(Math.max(height, width) / LARGEST)),
  };
}

/** Draws images in rows, enlarged or reduced to be looked at, with lines below; gives a PNG. */
export async function drawGrid(
  images: readonly GridImage[],
  title: string,
): Promise<Uint8Array> {
  const cells = images.map(({ picture, lines }) => {
    const drawn = scaled(picture, factors(picture));
    const letters = Math.max(4, Math.floor(Math.max(drawn.width, LEAST) / LETTER));
    return { picture: drawn, lines: lines(letters) };
  });
  const cell = {
    width: Math.max(LEAST, ...cells.map(({ picture }) => picture.width)),
    height: Math.max(...cells.map(({ picture }) => picture.height)),
    lines: Math.max(...cells.map(({ lines }) => lines.length)),
  };
  const columns = Math.min(COLUMNS, cells.length);
  const rows = Math.ceil(cells.length / columns);
  const down = cell.height + cell.lines * LINE + GAP;
  const size = {
    width: Math.max(2 * MARGIN + columns * (cell.width + GAP) - GAP, 480),
    height: TOP + rows * down + MARGIN - GAP,
  };
  const placed: PlacedPicture[] = [];
  const parts: string[] = [];
  for (const [i, { picture, lines }] of cells.entries()) {
    const x = MARGIN + (i % columns) * (cell.width + GAP);
    const y = TOP + Math.floor(i / columns) * down;
    placed.push({ picture, x, y });
    lines.forEach((line, k) =>
      parts.push(textAt(line, {
        x,
        y: y + picture.height + (k + 1) * LINE - 2,
        size: 11,
        colour: k ? COLOURS.other : COLOURS.text,
      }))
    );
  }
  const svg = svgPicture({ title, ...size, ground: "none" }, parts);
  return await paint(size, placed, svg);
}
