import type * as PlotModule from "@observablehq/plot";
import { openDrawing } from "./picture_document.ts";
import type { EpochMetrics } from "../../train/types.ts";

/** Pixels of a panel, and above both. */
const PANEL = { width: 420, height: 280 };
const TOP = 56;

const COLOURS = { base: "#0072b2", small: "#d55e00", loss: "#6b7280" } as const;
const NAMES = { base: "base", small: "small", loss: "training loss" } as const;

type Line = keyof typeof COLOURS;

interface Point {
  readonly line: Line;
  readonly epoch: number;
  readonly value: number;
}

function pointsOf(
  metrics: readonly EpochMetrics[],
  values: Partial<Record<Line, (metrics: EpochMetrics) => number | undefined>>,
): Point[] {
  return (Object.keys(values) as Line[]).flatMap((line) =>
    metrics.flatMap((m) => {
      const value = values[line]?.(m);
      return value !== undefined && Number.isFinite(value) ? [{ line, epoch: m.epoch, value }] : [];
    })
  );
}

/** At most eight whole epochs, evenly spaced. */
function ticks(epochs: number): number[] {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => epochs / n <= 8) ?? epochs;
  return Array.from({ length: Math.floor(epochs / step) }, (_, i) => (i + 1) * step);
}

/** The markup of one panel, at `x` in the picture. */
function panel(
  Plot: typeof PlotModule,
  { document, points, zero = false, epochs, x }: {
    document: PlotModule.PlotOptions["document"];
    points: readonly Point[];
    zero?: boolean;
    epochs: number;
    x: number;
  },
): string {
  const channels = { x: "epoch", y: "value", z: "line", stroke: "line" };
  const svg = Plot.plot({
    document,
    ...PANEL,
    marginLeft: 44,
    marginRight: 16,
    marginTop: 12,
    marginBottom: 40,
    style: { fontSize: "11px" },
    x: {
      domain: [Math.min(1, epochs - 1), epochs],
      ticks: ticks(epochs),
      tickFormat: "d",
      label: "epoch",
    },
    y: { grid: true, nice: true, zero, ticks: 6, label: null },
    color: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
    marks: [
      Plot.lineY(points, { ...channels, strokeWidth: 1.75 }),
      ...epochs > 40 ? [] : [Plot.dot(points, { ...channels, fill: "line", r: 2 })],
    ],
  });
  svg.setAttribute("x", String(x));
  svg.setAttribute("y", String(TOP));
  return svg.outerHTML;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** Names of the lines in their colours, with the last value of each. */
function legend(points: readonly Point[], unit: string): string {
  const lines = (Object.keys(COLOURS) as Line[]).flatMap((line) => {
    const last = points.findLast((point) => point.line === line);
    if (!last) return [];
    const value = unit ? `${last.value.toFixed(1)} ${unit}` : last.value.toFixed(3);
    return [`<tspan fill="${COLOURS[line]}" dx="10">${NAMES[line]} ${value}</tspan>`];
  });
  return lines.join("");
}

/** Accuracy and loss over the epochs as an SVG picture. */
export async function drawCurves(
  metrics: readonly EpochMetrics[],
  title: string,
): Promise<string> {
  const { Plot, document } = await openDrawing();
  const epochs = Math.max(1, ...metrics.map(({ epoch }) => epoch));
  const accuracy = pointsOf(metrics, {
    base: ({ validation: { base } }) => base && 100 * base.top1,
    small: ({ validation: { small } }) => small && 100 * small.top1,
  });
  const loss = pointsOf(metrics, {
    base: ({ validation: { base } }) => base?.loss,
    small: ({ validation: { small } }) => small?.loss,
    loss: (m) => m.loss,
  });
  const [width, height] = [2 * PANEL.width, TOP + PANEL.height + 8];
  const heading = (x: number, name: string, points: readonly Point[], unit: string) =>
    `<text x="${x}" y="46" font-size="12"><tspan font-weight="600">${name}</tspan>${
      legend(points, unit)
    }</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" color="#1f2937">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="16" y="22" font-size="14" font-weight="600">${escape(title)}</text>`,
    heading(16, "Validation accuracy", accuracy, "%"),
    heading(16 + PANEL.width, "Validation loss", loss, ""),
    panel(Plot, { document, points: accuracy, epochs, x: 0 }),
    panel(Plot, { document, points: loss, zero: true, epochs, x: PANEL.width }),
    "</svg>",
  ].join("\n") + "\n";
}
