import { openDrawing } from "./picture_document.ts";
import { budgetName, percent } from "../../data/words.ts";
import type { WidthsFile } from "../../export/widths_file.ts";

const WIDTH = 640;
const BAR = 18;
const COLOURS = { base: "#d1d5db", small: "#d55e00" } as const;

/**
 * The widths found as an SVG picture: a bar for each masked convolution, its filters in the small
 * network over those it has in the base, `full`.
 */
export async function drawWidths(
  { model, budgeted, budget, found, widths }: WidthsFile,
  full: Readonly<Record<string, number>>,
): Promise<string> {
  const { Plot, document } = await openDrawing();
  const bars = Object.entries(widths).map(([layer, width]) => ({
    layer,
    part: 100 * width / full[layer],
    text: `${width} of ${full[layer]}`,
  }));
  const height = 72 + BAR * bars.length;
  const svg = Plot.plot({
    document,
    width: WIDTH,
    height,
    marginLeft: 150,
    marginRight: 72,
    marginTop: 44,
    style: { fontSize: "11px", background: "white" },
    x: { domain: [0, 100], label: "filters of the small network, % of the base's" },
    y: { domain: bars.map(({ layer }) => layer), label: null, padding: 0.25 },
    marks: [
      Plot.barX(bars, { x1: 0, x2: 100, y: "layer", fill: COLOURS.base }),
      Plot.barX(bars, { x1: 0, x2: "part", y: "layer", fill: COLOURS.small }),
      Plot.text(bars, { x: 100, y: "layer", text: "text", textAnchor: "start", dx: 6 }),
      Plot.text([
        `${model}: ${percent(found)} of the ${budgetName(budgeted)}, budget ${percent(budget)}`,
      ], {
        frameAnchor: "top-left",
        dx: -142,
        dy: -32,
        fontSize: 14,
        fontWeight: "600",
      }),
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return svg.outerHTML + "\n";
}
