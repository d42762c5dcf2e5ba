import type { Drawing } from "../report/picture_document.ts";
import { Markup } from "./markup.ts";

/** How lines that are not whole are drawn, as lengths of dashes and gaps. */
const DASHES = { dashed: "4 3", dotted: "1.5 2.5", alternating: "8 3 1.5 3" } as const;

/** How a line is drawn that is not whole. */
export type Dash = keyof typeof DASHES;

/** A line over the epochs. */
export interface Line {
  readonly name: string;
  /** A colour of CSS, as `var(--base)`. */
  readonly colour: string;
  readonly points: readonly { readonly epoch: number; readonly value: number }[];
  /** How it is drawn where it is not whole. */
  readonly dash?: Dash;
  /** Of another run. */
  readonly thin?: boolean;
}

/** A moment that a chart marks. */
export interface Moment {
  /** It lies after this epoch. */
  readonly epoch: number;
  readonly text: string;
}

/** Lines on one pair of axes. */
export interface LineChart {
  /** What the chart shows, for those who do not see it. */
  readonly label: string;
  readonly lines: readonly Line[];
  /** Epochs of the whole run. */
  readonly epochs: number;
  /** Whether the axis of values begins at 0. */
  readonly zero?: boolean;
  /** A value where the pointer is. */
  readonly words: (value: number) => string;
  readonly moments?: readonly Moment[];
  /** Levels that are marked, as budgets. */
  readonly levels?: readonly number[];
}

/** Epochs up to which each has a dot, and places for the pointer at most. */
const [DOTTED, BANDS] = [16, 120];

/** Whole epochs, evenly spaced. */
function ticksOf(epochs: number, most: number): number[] {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => epochs / n <= most) ?? epochs;
  return Array.from({ length: Math.floor(epochs / step) }, (_, i) => (i + 1) * step);
}

/** The place for the pointer at each epoch, or of many at some: what all lines are there. */
function bandsOf(
  { lines, words }: LineChart,
): { readonly from: number; readonly to: number; readonly title: string }[] {
  const epochs = [...new Set(lines.flatMap(({ points }) => points.map(({ epoch }) => epoch)))]
    .sort((a, b) => a - b);
  const every = Math.ceil(epochs.length / BANDS);
  return epochs.filter((_, i) => i % every === 0).map((epoch) => {
    const values = lines.flatMap(({ name, points }) => {
      const found = points.find((point) => point.epoch === epoch);
      return found ? [`${name}${name && " "}${words(found.value)}`] : [];
    });
    return {
      from: epoch - every / 2,
      to: epoch + every / 2,
      title: [`epoch ${epoch}`, ...values].join("\n"),
    };
  });
}

/** Values that are all alike need room around them. */
function domainOf({ lines, zero, levels = [] }: LineChart): [number, number] {
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value))
    .concat(levels);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const from = zero ? Math.min(0, low) : low;
  if (high > from) return [from, high];
  return high === 0 ? [0, 1] : [from - Math.abs(from) / 10, high + Math.abs(high) / 10];
}

/** A number at an axis, without many zeros. */
function tickText(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3
    ? value.toExponential()
    : String(Number(value.toPrecision(6)));
}

/** Draws lines in so many pixels, as SVG. */
export function drawLines(
  { Plot, document }: Drawing,
  chart: LineChart,
  { width, height }: { readonly width: number; readonly height: number },
): Markup {
  const { label, lines, epochs, moments = [], levels = [] } = chart;
  const last = Math.max(epochs, ...lines.flatMap(({ points }) => points.map((p) => p.epoch)));
  const channels = { x: "epoch", y: "value" } as const;
  // A single epoch is in the middle.
  const domain: [number, number] = last > 1 ? [1, last] : [0.5, 1.5];
  const plot = Plot.plot({
    document,
    width,
    height,
    marginLeft: 46,
    marginRight: 12,
    marginTop: 18,
    marginBottom: 38,
    ariaLabel: label,
    style: { fontSize: "12px", background: "none" },
    x: {
      domain,
      ticks: ticksOf(last, width / 55),
      tickFormat: "d",
      label: "epoch",
      labelAnchor: "center",
      labelArrow: "none",
    },
    y: {
      label: null,
      domain: domainOf(chart),
      nice: true,
      grid: true,
      ticks: 5,
      tickFormat: tickText,
    },
    marks: [
      Plot.ruleY(levels, { stroke: "var(--text)", strokeDasharray: "2 3" }),
      ...moments.flatMap(({ epoch, text }) => [
        Plot.ruleX([epoch + 0.5], { stroke: "var(--quiet)", strokeDasharray: "2 3" }),
        Plot.text([text], {
          x: epoch + 0.5,
          frameAnchor: "top",
          text: (words: string) => words,
          textAnchor: "start",
          dx: 5,
          dy: -14,
          fill: "var(--quiet)",
        }),
      ]),
      ...lines.flatMap(({ colour, points, dash, thin }) => [
        Plot.lineY(points, {
          ...channels,
          stroke: colour,
          strokeWidth: thin ? 1 : 2,
          strokeOpacity: thin ? 0.75 : 1,
          ...dash ? { strokeDasharray: DASHES[dash] } : {},
        }),
        ...!thin && points.length <= DOTTED
          ? [Plot.dot(points, { ...channels, fill: colour, r: points.length === 1 ? 4 : 2.5 })]
          : [],
      ]),
      Plot.rect(bandsOf(chart), {
        x1: (band: { from: number }) => Math.max(domain[0], band.from),
        x2: (band: { to: number }) => Math.min(domain[1], band.to),
        fill: "transparent",
        title: "title",
      }),
    ],
  });
  plot.setAttribute("role", "img");
  return new Markup(plot.outerHTML);
}
