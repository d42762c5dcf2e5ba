import { printable } from "../../data/printable.ts";
import type { Picture } from "../../data/picture.ts";
import { paint, type PlacedPicture } from "../../pictures/paint.ts";
import { COLOURS, picture as svgPicture, textAt } from "./picture_document.ts";

/** Pixels of a side of each picture. */
export const CELL = 96;

const GAP = 6;
const MARGIN = 16;
/** Above the first row: the title, and the names of the blocks. */
const TOP = 64;
/** Between two blocks of a row. */
const BLOCK_GAP = 24;
/** Pixels that a letter of a label takes about, and the most letters of one. */
const LETTER = 7.5;
const LONGEST_LABEL = 24;

/** Pictures of one row that belong together, as those of one side. */
export interface SheetBlock {
  readonly name: string;
  /** Pictures in a row at most. */
  readonly columns: number;
}

/** A row of a sheet: a class. */
export interface SheetRow {
  readonly label: string;
  /** Of each block, pictures of {@link CELL} pixels a side; nothing for a broken one. */
  readonly blocks: readonly (readonly (Picture | undefined)[])[];
}

/** A sheet of pictures. */
export interface ContactSheet {
  readonly title: string;
  readonly blocks: readonly SheetBlock[];
  readonly rows: readonly SheetRow[];
  /** Below the last row. */
  readonly footer?: string;
}

/** The cell of a picture that is broken. */
function brokenCell(x: number, y: number): string {
  const [right, bottom] = [x + CELL, y + CELL];
  return `<rect x="${x}" y="${y}" width="${CELL}" height="${CELL}" fill="#f3f4f6"/>` +
    `<path d="M${x + 30} ${y + 24}L${right - 30} ${bottom - 36}M${right - 30} ${y + 24}` +
    `L${x + 30} ${bottom - 36}" stroke="${COLOURS.small}" stroke-width="3"/>` +
    textAt("broken", {
      x: x + CELL / 2,
      y: bottom - 12,
      size: 12,
      colour: COLOURS.small,
      anchor: "middle",
    });
}

/** Draws a sheet: a row for each class, its name on the left. Gives a PNG. */
export async function contactSheet(
  { title, blocks, rows, footer }: ContactSheet,
): Promise<Uint8Array> {
  const labels = rows.map(({ label }) => printable(label, LONGEST_LABEL));
  const longest = Math.max(...labels.map(({ length }) => length), 4);
  const left = MARGIN + Math.ceil(longest * LETTER) + 12;
  const starts: number[] = [];
  let end = left;
  for (const { columns } of blocks) {
    starts.push(end);
    end += columns * (CELL + GAP) - GAP + BLOCK_GAP;
  }
  const width = Math.max(end - BLOCK_GAP + MARGIN, 480);
  const height = TOP + rows.length * (CELL + GAP) - GAP + (footer ? 32 : 0) + MARGIN;
  const pictures: PlacedPicture[] = [];
  const parts = blocks.map(({ name }, i) =>
    textAt(name, { x: starts[i], y: TOP - 12, colour: COLOURS.other })
  );
  for (const [i, { blocks }] of rows.entries()) {
    const y = TOP + i * (CELL + GAP);
    parts.push(textAt(labels[i], { x: left - 12, y: y + CELL / 2 + 4, size: 13, anchor: "end" }));
    for (const [k, cells] of blocks.entries()) {
      for (const [column, picture] of cells.entries()) {
        const x = starts[k] + column * (CELL + GAP);
        if (picture) pictures.push({ picture, x, y });
        else parts.push(brokenCell(x, y));
      }
    }
  }
  if (footer) parts.push(textAt(footer, { x: left, y: height - MARGIN, colour: COLOURS.other }));
  const svg = svgPicture({ title, width, height, ground: "none" }, parts);
  return await paint({ width, height }, pictures, svg);
}
