import { entriesOf, type Which } from "../../nn/which.ts";
import { trainedEpochs } from "../../train/resume/saving.ts";
import type { EpochMetrics } from "../../train/types.ts";
import { validationWord } from "../report/header.ts";
import type { Drawing } from "../report/picture_document.ts";
import { percent } from "../../data/words.ts";
import { coloursOf, OTHER } from "./colours.ts";
import { lineFigure } from "./figure.ts";
import type { Line, Moment } from "./line_chart.ts";
import { markup, type Piece, section } from "./markup.ts";
import type { RunReport } from "./report_data.ts";

/** A line of what each epoch has; epochs without are left out. */
export function lineOf(
  history: readonly EpochMetrics[],
  value: (metrics: EpochMetrics) => number | null | undefined,
  line: Omit<Line, "points">,
): Line {
  const points = history.flatMap((metrics) => {
    const found = value(metrics);
    return typeof found === "number" && Number.isFinite(found)
      ? [{ epoch: metrics.epoch, value: found }]
      : [];
  });
  return { ...line, points };
}

/** The networks that were measured after some epoch. */
export function networksIn(history: readonly EpochMetrics[]): Which[] {
  const found = history.flatMap(({ validation }) => entriesOf(validation).map(([name]) => name));
  return [...new Set(found)];
}

/** A value in three digits. */
export function digits(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3
    ? value.toExponential(1)
    : `${+value.toPrecision(3)}`;
}

/** Percent, as it is drawn. */
const part = (value: number): string => percent(value / 100);

/** Curves of other runs, each network one. */
function thinLines({ others }: RunReport): Line[] {
  return others.flatMap(({ name, history }) => {
    const epochs = trainedEpochs(history);
    return networksIn(epochs).map((which) =>
      lineOf(epochs, ({ validation }) => percentOf(validation[which]?.top1), {
        name: `${which} of ${name}`,
        colour: OTHER,
        thin: true,
      })
    );
  });
}

function percentOf(fraction: number | undefined): number | undefined {
  return fraction === undefined ? undefined : 100 * fraction;
}

/** Where the fine-tuning of small networks begins. */
function momentsOf({ config, summary }: RunReport): Moment[] {
  const { epochs, finetuneEpochs } = config;
  const tuned = summary?.finetuneEpochs ?? finetuneEpochs;
  return typeof epochs === "number" && typeof tuned === "number" && tuned > 0
    ? [{ epoch: epochs, text: "fine-tuning" }]
    : [];
}

/** What is left of a loss besides cross entropy and divergence: the small networks' own. */
function ownEntropy({ loss, crossEntropy, kl, lambda }: EpochMetrics): number {
  return loss - crossEntropy - lambda * kl;
}

/** The parts of the loss, as far as there is more than one. */
function lossLines(epochs: readonly EpochMetrics[]): Line[] {
  const loss = lineOf(epochs, (m) => m.loss, { name: "loss", colour: "var(--text)" });
  if (epochs.every(({ kl }) => kl === 0)) return [{ ...loss, name: "" }];
  const weighted = epochs.some(({ lambda }) => lambda !== 1);
  const lines = [
    loss,
    lineOf(epochs, (m) => m.crossEntropy, { name: "cross entropy", colour: "var(--base)" }),
    lineOf(epochs, (m) => m.lambda * m.kl, {
      name: weighted ? "λ · divergence" : "divergence",
      colour: "var(--extra)",
      dash: "dashed",
    }),
  ];
  const own = epochs.some((m) => ownEntropy(m) > 0.005 * Math.abs(m.loss));
  return own
    ? [
      ...lines,
      lineOf(epochs, ownEntropy, {
        name: "the small networks' own, weighted",
        colour: "var(--small)",
        dash: "dashed",
      }),
    ]
    : lines;
}

/** Curves of accuracy and loss, of the parts of the loss, of what was set, and of the speed. */
export function curvesSection(report: RunReport, drawing: Drawing): Piece {
  const { history, kept, networks } = report;
  const epochs = trainedEpochs(history);
  if (epochs.length === 0) return undefined;
  const word = validationWord(kept?.test ?? false);
  const colour = coloursOf(networks.map(({ name }) => name));
  const names = networksIn(epochs);
  const all = {
    epochs: Math.max(...epochs.map((m) => m.epochs ?? m.epoch)),
    moments: momentsOf(report),
  };
  const trained = [...new Set(epochs.flatMap((m) => Object.keys(m.training ?? {})))];
  const own = { name: "", colour: "var(--text)" };
  const large = [
    lineFigure(drawing, {
      ...all,
      title: `Accuracy on the ${word} images, %`,
      label: `Accuracy of each network on the ${word} images after each epoch`,
      words: part,
      lines: [
        ...thinLines(report),
        ...names.map((name) =>
          lineOf(epochs, (m) => percentOf(m.validation[name]?.top1), { name, colour: colour(name) })
        ),
      ],
    }, "large"),
    lineFigure(drawing, {
      ...all,
      title: `Cross entropy on the ${word} images`,
      label: `Cross entropy of each network on the ${word} images, and of the training`,
      words: digits,
      lines: [
        ...names.map((name) =>
          lineOf(epochs, (m) => m.validation[name]?.loss, { name, colour: colour(name) })
        ),
        lineOf(epochs, (m) => m.crossEntropy, { name: "training", colour: OTHER, dash: "dashed" }),
      ],
    }, "large"),
  ];
  const little = [
    lineFigure(drawing, {
      ...all,
      title: "Training loss and its parts",
      label: "The training loss and its parts in each epoch",
      zero: true,
      words: digits,
      lines: lossLines(epochs),
    }, "little"),
    epochs.some(({ kl }) => kl !== 0) && lineFigure(drawing, {
      ...all,
      title: "Divergence of the small networks, unweighted",
      label: "Divergence between the base network and the small ones in each epoch",
      zero: true,
      words: digits,
      lines: [lineOf(epochs, (m) => m.kl, { name: "", colour: "var(--extra)" })],
    }, "little"),
    lineFigure(drawing, {
      ...all,
      title: "Accuracy on the training batches, %",
      label: "Accuracy of each network on the training batches of each epoch",
      words: part,
      lines: trained.map((name) =>
        lineOf(
          epochs,
          (m) => percentOf(entriesOf(m.training ?? {}).find(([n]) => n === name)?.[1]),
          {
            name,
            colour: colour(name),
          },
        )
      ),
    }, "little"),
    epochs.some(({ lambda }) => lambda !== 1) && lineFigure(drawing, {
      ...all,
      title: "λ, weight of the divergence",
      label: "The weight of the divergence in each epoch",
      zero: true,
      words: digits,
      lines: [lineOf(epochs, (m) => m.lambda, own)],
    }, "little"),
    lineFigure(drawing, {
      ...all,
      title: "Learning rate, end of epoch",
      label: "The learning rate at the end of each epoch",
      zero: true,
      words: digits,
      lines: [lineOf(epochs, (m) => m.lr, own)],
    }, "little"),
    lineFigure(drawing, {
      ...all,
      title: "Images a second",
      label: "Training images a second in each epoch",
      zero: true,
      words: digits,
      lines: [lineOf(epochs, (m) => m.imagesPerSecond, own)],
    }, "little"),
    lineFigure(drawing, {
      ...all,
      title: "Waiting for images, % of the time",
      label: "The part of the time in which the next batch was waited for, in each epoch",
      zero: true,
      words: part,
      lines: [lineOf(epochs, (m) => 100 * m.waiting, own)],
    }, "little"),
  ].map((piece) => piece || undefined);
  return section(
    "curves",
    "Training",
    markup`
      <div class="charts">${large}</div>
      <div class="charts three">${little}</div>
    `,
  );
}
