import type * as PlotModule from "@observablehq/plot";
import { measuredPanels, type Panel, type PanelOptions, trainingPanels } from "./curve_panels.ts";
import { COLOURS, type Drawing, openDrawing, picture, placed } from "./picture_document.ts";
import type { EpochMetrics } from "../../train/types.ts";

/** Pixels of the picture, and of the heading above each panel. */
const WIDTH = 960;
const TOP = 44;
const HEADING = 20;

/** A panel and where it lies. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Point {
  readonly curve: string;
  readonly epoch: number;
  readonly value: number;
}

function pointsOf(metrics: readonly EpochMetrics[], { curves, least }: Panel): Point[] {
  return curves.flatMap(({ name: curve, value: of }) =>
    metrics.flatMap((m) => {
      const value = of(m);
      if (value === undefined || !Number.isFinite(value)) return [];
      return [{ curve, epoch: m.epoch, value: Math.max(value, least ?? -Infinity) }];
    })
  );
}

/** At most eight whole epochs, evenly spaced. */
function ticks(epochs: number, most: number): number[] {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => epochs / n <= most) ?? epochs;
  return Array.from({ length: Math.floor(epochs / step) }, (_, i) => (i + 1) * step);
}

/** 1, 2 and 5 times the powers of ten within a range. */
function logTicks([low, high]: readonly [number, number]): number[] {
  return [0.001, 0.01, 0.1, 1, 10, 100].flatMap((power) => [1, 2, 5].map((n) => n * power))
    .map((value) => Number(value.toPrecision(1)))
    .filter((value) => value >= low && value <= high);
}

/** The axis of values, and its marks: logarithmic from `least` on, else from 0 on. */
function valueAxis(
  { Plot }: Drawing,
  points: readonly Point[],
  least?: number,
): { scale: PlotModule.ScaleOptions; marks: PlotModule.Markish[] } {
  const none = { label: null } as const;
  if (least === undefined) {
    const most = Math.max(...points.map(({ value }) => value));
    // All zeros would have no axis, and tiny numbers labels of many zeros.
    const domain = most === 0 ? { domain: [0, 1] } : {};
    const small = most < 1e-3 && most > 0
      ? { tickFormat: (tick: number) => tick === 0 ? "0" : tick.toExponential() }
      : {};
    const axis = { ...none, nice: true, zero: true, grid: true, ticks: 5 };
    return { scale: { ...axis, ...domain, ...small }, marks: [] };
  }
  const most = Math.min(100, 1.3 * Math.max(2 * least, ...points.map(({ value }) => value)));
  const domain = [least, most] as const;
  const ticks = logTicks(domain);
  return {
    scale: { ...none, type: "log", domain, axis: null },
    marks: [
      Plot.gridY(ticks),
      Plot.axisY(ticks, { ...none, text: (tick: number) => String(tick) }),
    ],
  };
}

/** The names of the curves in their colours, each with its last value. */
function legend(metrics: readonly EpochMetrics[], { curves }: Panel): string {
  return curves.flatMap(({ name, colour, value, words }) => {
    const last = metrics.map(value).findLast((v) => v !== undefined && Number.isFinite(v));
    if (last === undefined) return [];
    return [
      `<tspan fill="${colour}" font-size="11" dx="10">${
        [name, words(last)].join(" ").trim()
      }</tspan>`,
    ];
  }).join("");
}

/** The markup of one panel. */
function panelMarkup(
  drawing: Drawing,
  { metrics, epochs, panel, place }: {
    readonly metrics: readonly EpochMetrics[];
    readonly epochs: number;
    readonly panel: Panel;
    readonly place: Place;
  },
): string {
  const { Plot, document } = drawing;
  const { title, curves, least } = panel;
  const points = pointsOf(metrics, panel);
  const { x, y, width, height } = place;
  const drawn = curves.filter(({ name }) => points.some(({ curve }) => curve === name));
  const channels = { x: "epoch", y: "value" } as const;
  const axis = valueAxis(drawing, points, least);
  const plot = Plot.plot({
    document,
    width,
    height: height - HEADING,
    marginLeft: 52,
    marginRight: 16,
    marginTop: 10,
    marginBottom: 36,
    style: { fontSize: "11px" },
    x: {
      domain: [Math.min(1, epochs - 1), epochs],
      ticks: ticks(epochs, width / 50),
      tickFormat: "d",
      label: "epoch",
      labelAnchor: "center",
      labelArrow: "none",
    },
    y: axis.scale,
    marks: axis.marks.concat(drawn.flatMap(({ name, colour, dashed }) => {
      const own = points.filter(({ curve }) => curve === name);
      const dash = dashed ? { strokeDasharray: "4 3" } : {};
      return [
        Plot.lineY(own, { ...channels, stroke: colour, strokeWidth: 1.75, ...dash }),
        ...epochs > 40 ? [] : [Plot.dot(own, { ...channels, fill: colour, r: 2 })],
      ];
    })),
  });
  const heading = `<text x="${x + 16}" y="${y + 14}" font-size="12" fill="${COLOURS.text}">` +
    `<tspan font-weight="600">${title}</tspan>${legend(metrics, panel)}</text>`;
  return heading + "\n" + placed(plot, { x, y: y + HEADING });
}

/** Accuracy, losses, learning rate and lambda over the epochs as an SVG picture. */
export async function drawCurves(
  metrics: readonly EpochMetrics[],
  title: string,
  of: PanelOptions,
): Promise<string> {
  const drawing = await openDrawing();
  const epochs = Math.max(1, ...metrics.map(({ epoch }) => epoch));
  const rows = [
    { panels: measuredPanels(metrics, of), height: 270 },
    { panels: trainingPanels(metrics), height: 210 },
  ];
  let y = TOP;
  const parts = rows.flatMap(({ panels, height }) => {
    const width = WIDTH / panels.length;
    const drawn = panels.map((panel, i) =>
      panelMarkup(drawing, { metrics, epochs, panel, place: { x: i * width, y, width, height } })
    );
    y += height + 8;
    return drawn;
  });
  return picture({ title, width: WIDTH, height: y }, parts);
}
