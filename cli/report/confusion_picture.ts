import { printable } from "../../data/printable.ts";
import { plural } from "../../data/words.ts";
import type { Predictions } from "../../train/predictions.ts";
import { COLOURS, openDrawing, picture, placed, textAt } from "./picture_document.ts";

/** Classes up to which each count is written into its cell, and each class has its name. */
const MOST_COUNTED = 20;
const MOST_NAMED = 60;
/** Pixels of the plot's sides at least and at most. */
const [LEAST_PLOT, MOST_PLOT] = [320, 900];
const [TOP, MARGIN] = [64, 16];
/** Letters of a name at most, and pixels of a letter about, over the size of the text. */
const [LONGEST, LETTER] = [24, 0.6];

/** Pixels of a side of a cell. */
function cellSize(classes: number): number {
  const wanted = classes <= MOST_COUNTED ? 44 : classes <= MOST_NAMED ? 15 : 6;
  return Math.min(MOST_PLOT, Math.max(LEAST_PLOT, wanted * classes)) / classes;
}

/** One of the cells that are not empty. */
interface Cell {
  readonly row: number;
  readonly column: number;
  readonly count: number;
  /** The part of the images of its row, from 0 to 1. */
  readonly share: number;
}

function cellsOf({ classes, counts }: Pick<Predictions, "classes" | "counts">): Cell[] {
  const cells: Cell[] = [];
  for (let row = 0; row < classes; row++) {
    const own = counts.subarray(row * classes, (row + 1) * classes);
    const sum = own.reduce((sum, count) => sum + count, 0);
    own.forEach((count, column) => {
      if (count) cells.push({ row, column, count, share: count / sum });
    });
  }
  return cells;
}

/**
 * The confusion matrix as an SVG picture: a row for each class, a column for each class that its
 * images are given, darker for more of the row. `title` says of which network and images it is.
 */
export async function drawConfusion(
  predictions: Pick<Predictions, "classes" | "counts">,
  { title, names }: { readonly title: string; readonly names: readonly string[] },
): Promise<string> {
  const { Plot, document } = await openDrawing();
  const { classes } = predictions;
  const cells = cellsOf(predictions);
  const cell = cellSize(classes);
  const side = Math.round(cell * classes);
  const size = Math.max(7, Math.min(12, cell * 0.75));
  const labels = names.map((name) => printable(name, LONGEST));
  const named = classes <= MOST_NAMED;
  const room = named
    ? Math.ceil(Math.max(...labels.map(({ length }) => length)) * size * LETTER) + 14
    : 44;
  const every = Math.ceil(classes / 20);
  const ticks = labels.map((_, i) => i).filter((i) => named || i % every === 0);
  const tickFormat = (i: number): string => named ? labels[i] : String(i);
  const domain = labels.map((_, i) => i);
  const plot = Plot.plot({
    document,
    width: side + room + MARGIN,
    height: side + room + MARGIN,
    marginLeft: room,
    marginBottom: room,
    marginTop: 1,
    marginRight: MARGIN,
    style: { fontSize: `${size}px` },
    x: {
      domain,
      type: "band",
      padding: 0,
      ticks,
      tickFormat,
      tickRotate: named ? -90 : 0,
      label: null,
    },
    y: { domain, type: "band", padding: 0, ticks, tickFormat, label: null },
    color: { type: "linear", domain: [0, 1], range: ["#eff6fb", COLOURS.base] },
    marks: [
      Plot.cell(cells, {
        x: "column",
        y: "row",
        fill: "share",
        inset: classes > MOST_NAMED ? 0 : 0.5,
      }),
      Plot.frame({ stroke: COLOURS.pale }),
      ...classes <= MOST_COUNTED
        ? [Plot.text(cells, {
          x: "column",
          y: "row",
          text: ({ count }: Cell) => String(count),
          fill: ({ share }: Cell) => share > 0.55 ? "white" : COLOURS.text,
          fontSize: Math.min(12, cell / 3.2),
        })]
        : [],
    ],
  });
  const right = cells.filter(({ row, column }) => row === column)
    .reduce((sum, { count }) => sum + count, 0);
  const images = cells.reduce((sum, { count }) => sum + count, 0);
  const words =
    `${right} of ${plural(images, "image")} right; rows are classes, columns predictions` +
    (named ? "" : ", by number");
  const letters = Math.max(title.length * 8.2, words.length * 6.8, 440);
  const width = Math.ceil(Math.max(side + room, letters) + 2 * MARGIN);
  return picture({ title, width, height: TOP + side + room + MARGIN }, [
    textAt(words, { x: MARGIN, y: 46, colour: COLOURS.other }),
    placed(plot, { x: MARGIN / 2, y: TOP }),
  ]);
}
