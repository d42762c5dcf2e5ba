import { COLOURS, openDrawing, picture, placed } from "./picture_document.ts";
import { budgetName, percent } from "../../data/words.ts";
import type { WidthsFile } from "../../export/widths_file.ts";

const WIDTH = 640;
const TOP = 40;
/** Pixels of a bar and the gap beside it. */
const BAR = 18;

/**
 * The widths found as an SVG picture: a bar for each masked convolution, its filters in the small
 * network over those it has in the base, `full`.
 */
export async function drawWidths(
  { model, budgeted, budget, found, widths }: WidthsFile,
  full: Readonly<Record<string, number>>,
): Promise<string> {
  const { Plot, document } = await openDrawing();
  const bars = Object.entries(widths).map(([layer, width]) => {
    const filters = typeof width === "number" ? width : width.length;
    const text = `${filters} of ${full[layer]}`;
    return { layer, part: 100 * filters / full[layer], text };
  });
  const height = 56 + BAR * bars.length;
  const plot = Plot.plot({
    document,
    width: WIDTH,
    height,
    marginLeft: 150,
    marginRight: 96,
    marginTop: 4,
    marginBottom: 44,
    style: { fontSize: "11px" },
    x: {
      domain: [0, 100],
      label: "filters of the small network, % of the base network's",
      labelAnchor: "center",
      labelArrow: "none",
    },
    y: { domain: bars.map(({ layer }) => layer), label: null, padding: 0.25 },
    marks: [
      Plot.barX(bars, { x1: 0, x2: 100, y: "layer", fill: COLOURS.pale }),
      Plot.barX(bars, { x1: 0, x2: "part", y: "layer", fill: COLOURS.small }),
      Plot.text(bars, { x: 100, y: "layer", text: "text", textAnchor: "start", dx: 6 }),
    ],
  });
  const title = `${model}: ${percent(found)} of the ${budgetName(budgeted)}, ` +
    `budget ${percent(budget)}`;
  return picture({ title, width: WIDTH, height: TOP + height }, [placed(plot, { x: 0, y: TOP })]);
}
