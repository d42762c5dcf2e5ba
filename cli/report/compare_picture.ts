import type { Comparison } from "../../train/compare/comparison.ts";
import { type MethodSummary, summaries } from "./compare_table.ts";
import { validationWord } from "./header.ts";
import { COLOURS, openDrawing, picture, placed, textAt } from "./picture_document.ts";
import { budgetName, percent, plural } from "../../data/words.ts";

/** Pixels of the picture, and of its plot. */
const WIDTH = 820;
const PLOT = { x: 8, y: 62, width: 470, height: 360 };
/** Pixels of a method in the legend. */
const METHOD = 38;
/** Pixels between the labels of points, and between a point and its label. */
const LINE = 13;
export const AWAY = 22;

/** A method in the plot. */
interface Point {
  /** Its number in the legend. */
  readonly number: string;
  readonly network: "base" | "small";
  /** Millions of multiply-accumulates. */
  readonly macs: number;
  /** Percent. */
  readonly top1: number;
  readonly deviation?: number;
}

function pointOf({ which, mean, deviation, macs }: MethodSummary, i: number): Point {
  return {
    number: String(i + 1),
    network: which === "base" ? "base" : "small",
    macs: macs / 1e6,
    top1: 100 * mean,
    ...deviation === undefined ? {} : { deviation: 100 * deviation },
  };
}

/** Where a point is drawn, and the height of its label. */
export interface Label {
  readonly x: number;
  readonly y: number;
  labelY: number;
}

/**
 * Sets labels apart that stand beside points of nearly the same x: at least {@link LINE} pixels, in
 * the order of their points, around the middle of these.
 */
export function spread(points: readonly { readonly x: number; readonly y: number }[]): Label[] {
  const labels = points.map((point) => ({ ...point, labelY: point.y }));
  const sorted = [...labels].sort((a, b) => a.x - b.x || a.y - b.y);
  const groups: Label[][] = [];
  for (const label of sorted) {
    const last = groups.at(-1);
    if (last && label.x - last[0].x < 2 * AWAY) last.push(label);
    else groups.push([label]);
  }
  for (const group of groups) {
    group.sort((a, b) => a.y - b.y);
    group.forEach((label, i) => {
      if (i) label.labelY = Math.max(label.y, group[i - 1].labelY + LINE);
    });
    const excess = group.reduce((sum, { y, labelY }) => sum + labelY - y, 0) / group.length;
    for (const label of group) label.labelY -= excess;
  }
  return labels;
}

/** A point's number beside it, with a line that leads to the point. */
function leader({ x, y, labelY }: Label, { number, network }: Point): string {
  const colour = COLOURS[network];
  const end = x + AWAY;
  return `<path d="M${x + 5},${y}L${end - 3},${labelY}" stroke="${colour}" stroke-opacity="0.6" ` +
    `fill="none"/>` + textAt(number, { x: end, y: labelY + 4, size: 11, colour });
}

/** Accuracy against multiply-accumulates of all methods as an SVG picture, bars of one deviation. */
export async function drawComparison(comparison: Comparison): Promise<string> {
  const { Plot, document } = await openDrawing();
  const all = summaries(comparison);
  const points = all.map(pointOf);
  const { model, dataset, epochs, test, search: { budget, budgeted } } = comparison;
  const ranges = points.map(({ deviation = 0, top1, ...rest }) => ({
    ...rest,
    low: top1 - deviation,
    high: Math.min(100, top1 + deviation),
  }));
  const plot = Plot.plot({
    document,
    width: PLOT.width,
    height: PLOT.height,
    marginLeft: 48,
    marginRight: 40,
    marginTop: 12,
    marginBottom: 42,
    style: { fontSize: "11px" },
    x: {
      label: "million multiply-accumulates of one image",
      labelAnchor: "center",
      labelArrow: "none",
      zero: true,
      nice: true,
    },
    y: { label: null, grid: true, nice: true, ticks: 6 },
    color: { domain: ["base", "small"], range: [COLOURS.base, COLOURS.small] },
    marks: [
      Plot.ruleX(ranges, {
        x: "macs",
        y1: "low",
        y2: "high",
        stroke: "network",
        strokeOpacity: 0.35,
        strokeWidth: 3,
      }),
      Plot.dot(points, {
        x: "macs",
        y: "top1",
        fill: "network",
        fillOpacity: 0.65,
        stroke: "white",
        strokeWidth: 0.5,
        r: 5,
      }),
    ],
  });
  const [x, y] = [plot.scale("x"), plot.scale("y")];
  const labels = spread(points.map(({ macs, top1 }) => ({
    x: PLOT.x + Number(x?.apply(macs)),
    y: PLOT.y + Number(y?.apply(top1)),
  })));
  const legend = all.flatMap(({ text, mean, deviation }, i) => {
    const from = { x: PLOT.x + PLOT.width + 12, y: PLOT.y + 20 + METHOD * i };
    const colour = COLOURS[points[i].network];
    const spreadWords = deviation === undefined ? "" : ` ± ${(100 * deviation).toFixed(1)}`;
    return [
      textAt(`${i + 1}  ${text}`, { ...from, colour }),
      textAt(`${percent(mean)}${spreadWords}`, { x: from.x + 17, y: from.y + 16, size: 11 }),
    ];
  });
  const seeds = Math.max(0, ...all.map(({ seeds }) => seeds));
  const title = `${model} on ${dataset}: ${plural(epochs, "epoch")}, ${plural(seeds, "seed")}, ` +
    `${percent(budget)} of the ${budgetName(budgeted)}`;
  const bars = seeds > 1 ? ", mean and one standard deviation" : "";
  const height = Math.max(PLOT.height, 20 + METHOD * all.length) + PLOT.y + 8;
  return picture({ title, width: WIDTH, height }, [
    textAt(`${validationWord(test)} accuracy, %${bars}`, { x: 16, y: 48 }),
    placed(plot, PLOT),
    ...points.map((point, i) => leader(labels[i], point)),
    ...legend,
  ]);
}
