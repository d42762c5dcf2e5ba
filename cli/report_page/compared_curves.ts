import { percent } from "../../data/words.ts";
import { trainedEpochs } from "../../train/resume/saving.ts";
import type { EpochMetrics, Score } from "../../train/types.ts";
import { type MethodSummary, summaries } from "../report/compare_table.ts";
import { validationWord } from "../report/header.ts";
import type { Drawing } from "../report/picture_document.ts";
import { BASE, smallColour } from "./colours.ts";
import { digits } from "./curves_section.ts";
import { lineFigure } from "./figure.ts";
import type { Dash, Line } from "./line_chart.ts";
import { markup, type Piece, section } from "./markup.ts";
import type { ComparisonReport } from "./report_data.ts";

/** The lines of base networks that are trained with others, one after the other. */
const DASHES: readonly Dash[] = ["dashed", "dotted", "alternating"];

/** The folders of the runs of a method that measured a network. */
function foldersOf(
  { comparison: { outcomes } }: ComparisonReport,
  { method, which }: Pick<MethodSummary, "method" | "which">,
): Set<string> {
  const own = outcomes.filter((outcome) => outcome.method === method && outcome.which === which);
  return new Set(own.map(({ file }) => file.split("/")[0]));
}

/** The mean over the runs of a method after each epoch. */
function meanPoints(
  histories: readonly (readonly EpochMetrics[])[],
  value: (metrics: EpochMetrics) => number | undefined,
): Line["points"] {
  const found = new Map<number, number[]>();
  for (const metrics of histories.flat()) {
    const one = value(metrics);
    if (one === undefined || !Number.isFinite(one)) continue;
    found.set(metrics.epoch, [...found.get(metrics.epoch) ?? [], one]);
  }
  return [...found].toSorted(([a], [b]) => a - b).map(([epoch, values]) => ({
    epoch,
    value: values.reduce((sum, one) => sum + one) / values.length,
  }));
}

/** How accurate the network of each method became, epoch by epoch: the mean over its seeds. */
export function comparedCurves(report: ComparisonReport, drawing: Drawing): Piece {
  const rows = summaries(report.comparison);
  const small = rows.filter(({ which }) => which !== "base");
  const others = rows.filter(({ which, method }) => which === "base" && method !== "base");
  // Base networks have one colour: that which is trained alone has a whole line.
  const dashOf = (row: MethodSummary): Dash | undefined =>
    row.method === "base" ? undefined : DASHES[others.indexOf(row) % DASHES.length];
  const lines = (of: (score: Score) => number): Line[] =>
    rows.map((row) => {
      const folders = foldersOf(report, row);
      const histories = report.runs.filter(({ name }) => folders.has(name))
        .map(({ history }) => trainedEpochs(history));
      const isBase = row.which === "base";
      return {
        name: row.text,
        colour: isBase ? BASE : smallColour(small.indexOf(row)),
        dash: isBase ? dashOf(row) : small.indexOf(row) >= 5 ? "dashed" : undefined,
        points: meanPoints(
          histories,
          ({ validation: { [row.which]: score } }) => score && of(score),
        ),
      };
    });
  const accuracy = lines(({ top1 }) => 100 * top1);
  const epochs = Math.max(0, ...accuracy.flatMap(({ points }) => points.map((p) => p.epoch)));
  if (epochs === 0) return undefined;
  const word = validationWord(report.comparison.test);
  const mean = rows.some(({ seeds }) => seeds > 1) ? ", mean over the seeds" : "";
  return section(
    "curves",
    "Training",
    markup`<div class="charts">${[
      lineFigure(drawing, {
        epochs,
        title: `Accuracy on the ${word} images, %${mean}`,
        label: `Accuracy of each method on the ${word} images after each epoch`,
        words: (value) => percent(value / 100),
        lines: accuracy,
      }, "large"),
      lineFigure(drawing, {
        epochs,
        title: `Cross entropy on the ${word} images${mean}`,
        label: `Cross entropy of each method on the ${word} images after each epoch`,
        words: digits,
        lines: lines(({ loss }) => loss),
      }, "large"),
    ]}</div>`,
  );
}
