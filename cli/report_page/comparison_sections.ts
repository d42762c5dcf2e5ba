import { budgetName, percent, plural } from "../../data/words.ts";
import { type MethodSummary, summaries } from "../report/compare_table.ts";
import { validationWord } from "../report/header.ts";
import type { Drawing } from "../report/picture_document.ts";
import { duration, grouped, scaled } from "../text.ts";
import { BASE, smallColour } from "./colours.ts";
import { figure } from "./figure.ts";
import { Markup, markup, type Piece, section, shown, table } from "./markup.ts";
import type { ComparisonReport } from "./report_data.ts";
import { head } from "./result_section.ts";

function colourOf({ which }: Pick<MethodSummary, "which">): string {
  return which === "base" ? BASE : smallColour(0);
}

function accuracyWords({ mean, deviation }: MethodSummary): string {
  return percent(mean) + (deviation === undefined ? "" : ` ± ${(100 * deviation).toFixed(1)}`);
}

/** The head of a comparison: what was compared at which budget, and what came out best. */
export function comparisonResult(report: ComparisonReport, links: Piece): Markup {
  const { comparison, config } = report;
  const { model, dataset, epochs, budget, budgeted, seconds, adapter, test } = comparison;
  const found = summaries(comparison);
  const small = found.filter(({ which }) => which !== "base");
  const best = small.toSorted((a, b) => b.mean - a.mean)[0];
  const seeds = typeof config.seeds === "number" ? config.seeds : undefined;
  const lead = [
    plural(epochs, "epoch"),
    ...seeds === undefined ? [] : [plural(seeds, "seed")],
    ...budget === undefined || !budgeted
      ? []
      : [`${percent(budget)} of the ${budgetName(budgeted)}`],
    ...Number.isFinite(seconds) ? [duration(seconds)] : [],
    ...adapter ? [shown(adapter)] : [],
  ].join(" · ");
  return markup`
    <section id="result" aria-labelledby="result-title">
    ${head(report, { title: `${model} on ${dataset}: methods compared`, lead })}
    ${
    best &&
    markup`<p class="answer">${
      `Of the small networks, “${best.text}” gets most ${validationWord(test)} images right: ` +
      `${accuracyWords(best)}${
        best.deviation === undefined
          ? ""
          : `, mean and standard deviation of ${plural(best.seeds, "seed")}`
      }.`
    }</p>`
  }
    ${links}
    </section>
  `;
}

/** All methods in a table. */
function methodTable(found: readonly MethodSummary[]): Markup {
  return table({
    head: ["method", "top-1", "parameters", "MACs", "latency"],
    rows: found.map((row, i) => [
      markup`<span class="mark" style="--own: ${colourOf(row)}"></span>${`${i + 1}  ${
        shown(row.text)
      }`}`,
      accuracyWords(row),
      grouped(Math.round(row.params)),
      scaled(row.macs),
      `${row.latency.toFixed(2)} ms`,
    ]),
  });
}

/** The accuracy with each seed, and the mean of each method. */
function drawSeeds(
  { Plot, document }: Drawing,
  { comparison, label, width, left }: {
    readonly comparison: ComparisonReport["comparison"];
    readonly label: string;
    readonly width: number;
    /** Pixels of the names. */
    readonly left: number;
  },
): Markup {
  const found = summaries(comparison);
  const letters = Math.floor(left / 6.5);
  const names = found.map(({ text }) => shown(text, letters));
  const points = comparison.outcomes.flatMap(({ method, which, seed, top1 }) => {
    const i = found.findIndex((row) => row.method === method && row.which === which);
    return i < 0 ? [] : [{ row: i, top1: 100 * top1, seed, colour: colourOf(found[i]) }];
  });
  const means = found.map((row, i) => ({ row: i, top1: 100 * row.mean, colour: colourOf(row) }));
  const plot = Plot.plot({
    document,
    width,
    height: 30 * found.length + 52,
    marginLeft: left,
    marginRight: 16,
    marginTop: 8,
    marginBottom: 40,
    ariaLabel: label,
    style: { fontSize: "12px", background: "none" },
    x: {
      label: "accuracy, %",
      labelAnchor: "center",
      labelArrow: "none",
      grid: true,
      nice: true,
      ticks: Math.floor(width / 90),
    },
    y: {
      type: "band",
      domain: found.map((_, i) => i),
      tickFormat: (i: number) => names[i],
      tickSize: 0,
      label: null,
    },
    marks: [
      Plot.tickX(means, {
        x: "top1",
        y: "row",
        stroke: (mean: { colour: string }) => mean.colour,
        strokeWidth: 2.5,
        insetTop: 4,
        insetBottom: 4,
        title: ({ row }: { row: number }) => `${found[row].text}\n${accuracyWords(found[row])}`,
      }),
      Plot.dot(points, {
        x: "top1",
        y: "row",
        fill: (point: { colour: string }) => point.colour,
        fillOpacity: 0.55,
        r: 4.5,
        title: ({ seed, top1 }: { seed: number; top1: number }) =>
          `seed ${seed}\n${top1.toFixed(1)} %`,
      }),
    ],
  });
  plot.setAttribute("role", "img");
  return new Markup(plot.outerHTML);
}

/** What each method came to, over the seeds and with each. */
export function methodsSection({ comparison }: ComparisonReport, drawing: Drawing): Piece {
  const found = summaries(comparison);
  if (found.length === 0) return undefined;
  const { test, runtime } = comparison;
  const label = `Accuracy on the ${validationWord(test)} images of each method with each seed`;
  const draw = (width: number, left: number): Markup =>
    drawSeeds(drawing, { comparison, label, width, left });
  const colours = [
    { name: "base network", colour: BASE, kind: "dot" as const },
    { name: "small network", colour: smallColour(0), kind: "dot" as const },
  ];
  return section(
    "methods",
    "Methods",
    methodTable(found),
    markup`<p class="quiet gap">${
      `Accuracy on the ${validationWord(test)} images` +
      (runtime ? `; latency of one image in ${runtime}.` : ".")
    }</p>`,
    figure({
      title: "Accuracy with each seed; the bar is the mean",
      entries: colours,
    }, { wide: draw(1000, 300), narrow: draw(350, 130) }),
  );
}

/** The runs of the comparison, with links into their folders. */
export function runsSection({ comparison, runs }: ComparisonReport): Piece {
  if (runs.length === 0) return undefined;
  return section(
    "runs",
    "Runs",
    table({
      head: ["run", "network", "top-1", "parameters", "MACs"],
      rows: comparison.outcomes.flatMap(({ file, which, top1, params, macs }) => {
        const [name] = file.split("/");
        const run = runs.find((one) => one.name === name);
        const path = file.split("/").map(encodeURIComponent).join("/");
        const folder = encodeURIComponent(name);
        return [[
          run?.report ? markup`<a href="${folder}/report.html">${shown(name)}</a>` : shown(name),
          run ? markup`<a href="${path}">${which}</a>` : which,
          percent(top1),
          grouped(params),
          scaled(macs),
        ]];
      }),
      text: [0, 1],
    }),
  );
}
