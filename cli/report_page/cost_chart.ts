import { accuracyDomain, isWide, logTicks } from "../report/cost_axis.ts";
import { spread } from "../report/compare_picture.ts";
import type { Drawing } from "../report/picture_document.ts";
import { front, type Measure } from "../report/pareto_points.ts";
import { percent } from "../../data/words.ts";
import { Markup } from "./markup.ts";

/** A network in a chart of what it can do against what it takes. */
export interface CostPoint {
  /** Its number in the list of all. */
  readonly number: number;
  readonly name: string;
  readonly colour: string;
  readonly top1: number;
  readonly cost: number;
  /** Of another run. */
  readonly beside?: boolean;
}

/** Accuracy against one measure: points with their numbers, and the line of those that none beats. */
export function drawCosts(
  { Plot, document }: Drawing,
  points: readonly CostPoint[],
  { measure, label, width, height }: {
    readonly measure: Measure;
    readonly label: string;
    readonly width: number;
    readonly height: number;
  },
): Markup {
  const costs = points.map(({ cost }) => cost);
  const [low, high] = [Math.min(...costs), Math.max(...costs)];
  const isLog = isWide([low, high]);
  const domain: [number, number] = isLog
    ? [low / 1.4, high * 1.5]
    : [0, high > 0 ? 1.08 * high : 1];
  const best = front(
    points.map((point) => ({ ...point, macs: point.cost, params: point.cost })),
    { of: ({ macs }) => macs },
  ).map(({ macs, top1 }) => ({ cost: macs, top1: 100 * top1 }));
  const size = { marginLeft: 46, marginTop: 14 };
  const plot = Plot.plot({
    document,
    width,
    height,
    ...size,
    marginRight: 30,
    marginBottom: 40,
    ariaLabel: label,
    style: { fontSize: "12px", background: "none" },
    x: {
      label: measure.label,
      labelAnchor: "center",
      labelArrow: "none",
      tickFormat: measure.tick,
      domain,
      ...isLog ? { type: "log", ticks: logTicks(domain, 2) } : { ticks: Math.floor(width / 90) },
    },
    y: {
      label: null,
      grid: true,
      domain: accuracyDomain(points),
      ticks: 5,
    },
    marks: [
      Plot.line(best, {
        x: "cost",
        y: "top1",
        curve: "step-after",
        stroke: "var(--line)",
        strokeWidth: 1.5,
      }),
      Plot.dot(points, {
        x: "cost",
        y: (point: CostPoint) => 100 * point.top1,
        fill: (point: CostPoint) => point.colour,
        stroke: "var(--ground)",
        strokeWidth: 1,
        r: 6,
        title: ({ name, top1, cost }: CostPoint) =>
          `${name}\n${percent(top1)}, ${measure.words(cost)}`,
      }),
    ],
  });
  const [x, y] = [plot.scale("x"), plot.scale("y")];
  const labels = spread(points.map(({ cost, top1 }) => ({
    x: Number(x?.apply(cost)),
    y: Number(y?.apply(100 * top1)),
  })));
  const marks = labels.map((label, i) => {
    const { number, colour } = points[i];
    const far = Math.abs(label.labelY - label.y) > 3;
    return (far
      ? `<path d="M${label.x + 6},${label.y}L${
        label.x + 12
      },${label.labelY}" stroke="${colour}" fill="none"/>`
      : "") +
      `<text x="${label.x + (far ? 14 : 10)}" y="${label.labelY + 4}" font-size="12" ` +
      `fill="var(--text)" stroke="var(--ground)" stroke-width="3" paint-order="stroke">${number}</text>`;
  });
  plot.setAttribute("role", "img");
  return new Markup(plot.outerHTML.replace(/<\/svg>$/, `<g>${marks.join("")}</g></svg>`));
}
