import type { Comparison } from "../../train/compare.ts";
import { summaries } from "./compare_table.ts";
import { openDrawing } from "./picture_document.ts";
import { plural } from "../../data/words.ts";

const SIZE = { width: 760, height: 420 };
const COLOURS = ["#0072b2", "#d55e00"];

/** Accuracy against multiply-accumulates of all methods as an SVG picture, bars of one deviation. */
export async function drawComparison(comparison: Comparison): Promise<string> {
  const { Plot, document } = await openDrawing();
  const all = summaries(comparison);
  const points = all.map(({ method, mean, deviation = 0, macs }, i) => ({
    network: method.startsWith("base") ? "base" : "small",
    label: `${i + 1}  ${method}`,
    number: String(i + 1),
    macs: macs / 1e6,
    top1: 100 * mean,
    low: 100 * (mean - deviation),
    high: Math.min(100, 100 * (mean + deviation)),
  }));
  const { model, dataset, epochs } = comparison;
  // Points of one cost lie on one line: they are set apart.
  const set = (point: typeof points[number]): number =>
    11 * points.filter((p) => p.network === point.network).indexOf(point);
  const svg = Plot.plot({
    document,
    ...SIZE,
    marginLeft: 52,
    marginRight: 300,
    marginTop: 60,
    marginBottom: 44,
    style: { fontSize: "11px", background: "white" },
    x: { label: "million multiply-accumulates", zero: true, nice: true },
    y: { label: "validation accuracy, %", grid: true, nice: true },
    color: { domain: ["base", "small"], range: COLOURS },
    marks: [
      ...points.flatMap((point) => [
        Plot.ruleX([point], {
          x: "macs",
          y1: "low",
          y2: "high",
          stroke: "network",
          dx: set(point),
        }),
        Plot.dot([point], { x: "macs", y: "top1", fill: "network", r: 4, dx: set(point) }),
        Plot.text([point], { x: "macs", y: "top1", text: "number", dx: set(point), dy: -10 }),
      ]),
      ...points.map((point, i) =>
        Plot.text([point.label], {
          frameAnchor: "top-right",
          textAnchor: "start",
          dx: 16,
          dy: 18 * i,
          fill: COLOURS[point.network === "base" ? 0 : 1],
        })
      ),
      Plot.text([
        `${model} on ${dataset}, ${plural(epochs, "epoch")}; bars are one standard deviation`,
      ], {
        frameAnchor: "top-left",
        dx: -40,
        dy: -46,
        fontSize: 13,
        fontWeight: "600",
      }),
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return svg.outerHTML + "\n";
}
