import type { Drawing } from "../report/picture_document.ts";
import { type Dash, drawLines, type LineChart, type Moment } from "./line_chart.ts";
import { type Markup, markup, type Piece } from "./markup.ts";

/** Pixels of a chart: those of a row of two, those of a row of three, and those of a phone. */
export const SIZES = {
  large: { width: 540, height: 300 },
  narrow: { width: 350, height: 240 },
  little: { width: 350, height: 190 },
} as const;

/** An entry of a key. */
export interface KeyEntry {
  readonly name: string;
  readonly colour: string;
  /** The last value. */
  readonly value?: string;
  readonly kind?: "line" | Dash | "dot";
}

/** What the colours of a chart mean, with the last values. */
export function key(entries: readonly KeyEntry[]): Piece {
  if (entries.length === 0) return undefined;
  return markup`<ul class="key">${
    entries.map(({ name, colour, value, kind = "line" }) =>
      markup`<li class="${kind}" style="--own: ${colour}">${name}${name && value && " "}${
        value && markup`<b>${value}</b>`
      }</li>`
    )
  }</ul>`;
}

/** A little more than the pixels of a drawing, so that its text is not much larger than others. */
function widest({ source }: Markup): string {
  const [, width] = source.match(/ width="(\d+)"/) ?? [];
  return width === undefined ? "" : `max-width: ${Math.round(1.12 * Number(width))}px`;
}

/** A chart under its title; where it is drawn wide, there is one for phones as well. */
export function figure(
  { title, entries = [], note }: {
    readonly title: string;
    readonly entries?: readonly KeyEntry[];
    readonly note?: string;
  },
  { wide, narrow }: { readonly wide?: Markup; readonly narrow: Markup },
): Markup {
  const plots = wide
    ? markup`<div class="plot wide" style="${widest(wide)}">${wide}</div>
      <div class="plot narrow" style="${widest(narrow)}">${narrow}</div>`
    : markup`<div class="plot" style="${widest(narrow)}">${narrow}</div>`;
  return markup`<figure><figcaption><h3>${title}</h3>${key(entries)}</figcaption>
${plots}${note && markup`<p class="quiet">${note}</p>`}</figure>\n`;
}

/** Moments for charts that have no room for words. */
function unnamed(moments: readonly Moment[] = []): Moment[] {
  return moments.map(({ epoch }) => ({ epoch, text: "" }));
}

/** Lines under a title, with their last values. */
export function lineFigure(
  drawing: Drawing,
  { title, ...chart }: LineChart & { readonly title: string },
  size: "large" | "little",
): Piece {
  const lines = chart.lines.filter(({ points }) => points.length > 0);
  if (lines.length === 0) return undefined;
  const drawn = { ...chart, lines };
  const entries = lines.filter(({ thin }) => !thin).map(({ name, colour, dash, points }) => ({
    name,
    colour,
    value: chart.words(points[points.length - 1].value),
    kind: dash ?? "line" as const,
  }));
  const thin = lines.find((line) => line.thin);
  const others = thin ? [{ name: "other runs", colour: thin.colour }] : [];
  return figure(
    { title, entries: [...entries, ...others] },
    size === "large"
      ? {
        wide: drawLines(drawing, drawn, SIZES.large),
        narrow: drawLines(drawing, drawn, SIZES.narrow),
      }
      : { narrow: drawLines(drawing, { ...drawn, moments: unnamed(drawn.moments) }, SIZES.little) },
  );
}
