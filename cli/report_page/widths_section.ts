import { percent } from "../../data/words.ts";
import type { Drawing } from "../report/picture_document.ts";
import { grouped } from "../text.ts";
import { BASE, coloursOf } from "./colours.ts";
import { figure, SIZES } from "./figure.ts";
import { Markup, markup, type Piece, section, shown, table } from "./markup.ts";
import type { LayerWidth, RunReport } from "./report_data.ts";

/** A bar of a layer: what the small network has of the base network's filters. */
interface Bar {
  readonly place: number;
  readonly whole: number;
  readonly kept: number;
  readonly title: string;
}

function barsOf(layers: readonly LayerWidth[], name: string): Bar[] {
  return layers.flatMap(({ layer, widths: { base, [name]: kept } }, place) =>
    base === undefined || kept === undefined ? [] : [{
      place: place + 1,
      whole: base,
      kept,
      title: `${layer}\n${kept} of ${base} filters, ${percent(kept / base)}`,
    }]
  );
}

/** A column for each layer: the filters of the base network, and those of the small one in it. */
function drawWidths(
  { Plot, document }: Drawing,
  bars: readonly Bar[],
  { label, colour, width, height }: {
    readonly label: string;
    readonly colour: string;
    readonly width: number;
    readonly height: number;
  },
): Markup {
  const inset = bars.length > width / 8 ? 0.25 : Math.min(6, width / bars.length / 8);
  const column = {
    x1: (bar: Bar) => bar.place - 0.5,
    x2: (bar: Bar) => bar.place + 0.5,
    insetLeft: inset,
    insetRight: inset,
    title: "title",
  };
  const plot = Plot.plot({
    document,
    width,
    height,
    marginLeft: 46,
    marginRight: 8,
    marginTop: 12,
    marginBottom: 38,
    ariaLabel: label,
    style: { fontSize: "12px", background: "none" },
    x: {
      domain: [0.5, bars.length + 0.5],
      label: "layer, from the image to the classes",
      labelAnchor: "center",
      labelArrow: "none",
      tickFormat: "d",
      ticks: Math.min(bars.length, Math.floor(width / 60)),
    },
    y: { label: null, zero: true, grid: true, nice: true, ticks: 5 },
    marks: [
      Plot.rect(bars, { ...column, y1: 0, y2: "whole", fill: BASE, fillOpacity: 0.28 }),
      Plot.rect(bars, { ...column, y1: 0, y2: "kept", fill: colour }),
    ],
  });
  plot.setAttribute("role", "img");
  return new Markup(plot.outerHTML);
}

/** All layers with the filters and parameters of each network. */
function layerTable(layers: readonly LayerWidth[], names: readonly string[]): Piece {
  const small = names.filter((name) => name !== "base");
  return markup`<details><summary>${`All ${layers.length} layers`}</summary>${
    table({
      head: ["layer", "base", ...small, ...small.map((name) => `${name}, kept`), "parameters"],
      rows: layers.map(({ layer, widths, params }) => [
        shown(layer),
        ...[widths.base, ...small.map((name) => widths[name])].map((n) => n ?? ""),
        ...small.map((name) =>
          widths.base && widths[name] ? percent(widths[name] / widths.base) : ""
        ),
        names.map((name) => params[name]).filter((n) => n !== undefined).map(grouped).join(" / "),
      ]),
    })
  }</details>`;
}

/** How many filters each layer has in the small networks, of those in the base network. */
export function widthsSection(report: RunReport, drawing: Drawing): Piece {
  const { layers, earlier } = report;
  const names = [...new Set(layers.flatMap(({ widths }) => Object.keys(widths)))];
  const colour = coloursOf(names);
  const small = names.filter((name) => name !== "base");
  const drawn = earlier.filter(({ name }) => name.endsWith("widths.svg"));
  if (small.length > 0 && names.includes("base")) {
    // The classifier has as many outputs as there are classes, in all networks.
    const cut = layers.slice(0, -1);
    const charts = small.map((name) => {
      const bars = barsOf(cut, name);
      const label = `Filters of each layer in ${name}, of those in the base network`;
      const draw = (size: { readonly width: number; readonly height: number }): Markup =>
        drawWidths(drawing, bars, { label, colour: colour(name), ...size });
      const [kept, whole] = [bars.map((bar) => bar.kept), bars.map((bar) => bar.whole)]
        .map((all) => all.reduce((a, b) => a + b, 0));
      return figure({
        title: `Filters of each layer, ${name}`,
        entries: [
          { name: "base", colour: BASE, value: grouped(whole), kind: "dot" },
          {
            name,
            colour: colour(name),
            value: `${grouped(kept)}, ${percent(kept / whole)}`,
            kind: "dot",
          },
        ],
      }, { wide: draw({ ...SIZES.large, height: 240 }), narrow: draw(SIZES.narrow) });
    });
    return section(
      "widths",
      "Widths",
      markup`<div class="charts">${charts}</div>`,
      layerTable(layers, names),
    );
  }
  if (drawn.length === 0) return undefined;
  return section(
    "widths",
    "Widths",
    drawn.map(({ name, source }) => markup`<img class="kept" src="${source}" alt="${name}">`),
  );
}
