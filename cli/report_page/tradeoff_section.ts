import { percent } from "../../data/words.ts";
import { validationWord } from "../report/header.ts";
import { type Measure, MEASURES, measuresOf, type ParetoPoint } from "../report/pareto_points.ts";
import type { Drawing } from "../report/picture_document.ts";
import { BASE, coloursOf, OTHER } from "./colours.ts";
import { type CostPoint, drawCosts } from "./cost_chart.ts";
import { figure, SIZES } from "./figure.ts";
import { markup, type Piece, section, shown, table } from "./markup.ts";
import type { ReportData } from "./report_data.ts";

/** A network with its number, its colour in the page, and the run that it is of. */
export interface Listed extends ParetoPoint {
  readonly number: number;
}

/** All networks of a report and of the runs beside it, numbered. */
export function listedPoints({ points, others, kind }: ReportData): Listed[] {
  const own = points.map(({ name }) => name);
  const byNetwork = coloursOf(own);
  const colour = (name: string): string =>
    kind === "run" ? byNetwork(name) : name.startsWith("base") ? BASE : "var(--small)";
  const beside = others.flatMap(({ name, networks }) =>
    networks.map((point) => ({ ...point, run: name, colour: OTHER }))
  );
  return [...points.map((point) => ({ ...point, colour: colour(point.name) })), ...beside]
    .map((point, i) => ({ ...point, number: i + 1 }));
}

function pointsFor(listed: readonly Listed[], { of }: Measure): CostPoint[] {
  return listed.flatMap((point) => {
    const cost = of(point);
    const { number, name, run, colour, top1 } = point;
    const title = run === undefined ? name : `${name}, ${run}`;
    return cost === undefined ? [] : [{ number, name: title, colour, top1, cost }];
  });
}

/** All numbers of all networks. */
function numbers(listed: readonly Listed[]): Piece {
  const measures = MEASURES.filter(({ of }) => listed.some((point) => of(point) !== undefined));
  return table({
    head: ["network", "top-1", ...measures.map(({ head }) => head)],
    rows: listed.map((point) => {
      const { number, name, run, colour, top1 } = point;
      return [
        markup`<span class="mark" style="--own: ${colour}"></span>${`${number}  ${shown(name)}`}${
          run === undefined ? undefined : markup`<span class="ratio">${shown(run)}</span>`
        }`,
        percent(top1),
        ...measures.map(({ of, words }) => {
          const value = of(point);
          return value === undefined ? "" : words(value);
        }),
      ];
    }),
  });
}

/** Accuracy against all that networks take, those of other runs beside. */
export function tradeoffSection(report: ReportData, drawing: Drawing): Piece {
  const listed = listedPoints(report);
  if (listed.length < 2) return undefined;
  const test = report.kind === "run" ? report.kept?.test ?? false : report.comparison.test;
  const word = validationWord(test);
  const charts = measuresOf(listed).map((measure) => {
    const points = pointsFor(listed, measure);
    const label = `Accuracy on the ${word} images against ${measure.label}`;
    return figure({ title: `Accuracy, %, against ${measure.head}` }, {
      narrow: drawCosts(drawing, points, { measure, label, ...SIZES.narrow }),
    });
  });
  return section(
    "tradeoff",
    "Accuracy and cost",
    markup`<p class="quiet">${`Accuracy on the ${word} images. The thin line joins the networks that no other beats.`}</p>`,
    markup`<div class="charts three">${charts}</div>`,
    // Those of a comparison are in its table of methods.
    report.kind === "comparison" && report.others.length === 0
      ? undefined
      : markup`<div class="gap">${numbers(listed)}</div>`,
  );
}
