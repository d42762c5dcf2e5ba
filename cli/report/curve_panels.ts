import { COLOURS, networkColour } from "./picture_document.ts";
import { entriesOf, type Which } from "../../nn/which.ts";
import type { EpochMetrics, Score } from "../../train/types.ts";

/** A line over the epochs. */
export interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly dashed?: boolean;
  /** The value of an epoch; nothing where there is none. */
  readonly value: (metrics: EpochMetrics) => number | undefined;
  /** The last value, in words. */
  readonly words: (value: number) => string;
}

/** Curves of one kind, on axes of their own. */
export interface Panel {
  readonly title: string;
  readonly curves: readonly Curve[];
  /** A logarithmic axis from here on: what is less is drawn on its lower end. */
  readonly least?: number;
}

/** Facts about the run that titles and names depend on. */
export interface PanelOptions {
  /** Whether networks are measured on the test images of their set. */
  readonly test: boolean;
  /** Label smoothing of the training. */
  readonly smoothing: number;
}

function fixed(value: number): string {
  return value.toFixed(3);
}

/** The error rate, in percent; 0 where rounding leaves less than any image. */
function errorOf({ top1 }: Score): number {
  return Math.max(0, Number((100 * (1 - top1)).toPrecision(9)));
}

/** The networks that were measured. */
function networksIn(metrics: readonly EpochMetrics[]): Which[] {
  return [
    ...new Set(metrics.flatMap(({ validation }) => entriesOf(validation).map(([which]) => which))),
  ];
}

function ofNetworks(
  names: readonly Which[],
  value: (score: Score) => number,
  words: (value: number) => string,
): Curve[] {
  const small = names.filter((which) => which !== "base");
  return names.map((which) => ({
    name: which,
    colour: networkColour(which, small),
    value: ({ validation: { [which]: score } }) => score && value(score),
    words,
  }));
}

/** The lower end of the axis of errors: a half of the least one that is not 0. */
function leastError(metrics: readonly EpochMetrics[]): { least: number; none: boolean } {
  const errors = metrics.flatMap(({ validation }) =>
    entriesOf(validation).flatMap(([, score]) =>
      Number.isFinite(score.top1) ? [errorOf(score)] : []
    )
  );
  const some = errors.filter((error) => error > 0);
  return { least: Math.min(1, ...some) / 2, none: some.length < errors.length };
}

/** Panels of the errors after each epoch, and of cross entropy beside that of the training. */
export function measuredPanels(
  metrics: readonly EpochMetrics[],
  { test, smoothing }: PanelOptions,
): Panel[] {
  const word = test ? "Test" : "Validation";
  const { least, none } = leastError(metrics);
  const names = networksIn(metrics);
  return [
    {
      title: `${word} error, %${none ? " (0 at the bottom)" : ""}`,
      least,
      curves: ofNetworks(names, errorOf, (error) => `${error.toFixed(error < 9.995 ? 2 : 1)} %`),
    },
    {
      title: `${word} cross entropy`,
      curves: [
        ...ofNetworks(names, ({ loss }) => loss, fixed),
        {
          name: smoothing ? "training (smoothed)" : "training",
          colour: COLOURS.other,
          dashed: true,
          value: ({ crossEntropy }) => crossEntropy,
          words: fixed,
        },
      ],
    },
  ];
}

/** Panels of the training loss with its KL term, of the learning rate, and of lambda. */
export function trainingPanels(metrics: readonly EpochMetrics[]): Panel[] {
  const own = { name: "", colour: COLOURS.text } as const;
  const pair = metrics.some(({ kl }) => kl !== 0);
  const scheduled = metrics.some(({ lambda }) => lambda !== 1);
  return [
    {
      title: "Training loss",
      curves: [
        { ...own, name: pair ? "loss" : "", value: ({ loss }) => loss, words: fixed },
        ...pair
          ? [{
            name: "KL term",
            colour: COLOURS.kl,
            dashed: true,
            value: ({ kl }: EpochMetrics) => kl,
            words: fixed,
          }]
          : [],
      ],
    },
    {
      title: "Learning rate, end of epoch",
      curves: [{ ...own, value: ({ lr }) => lr, words: (lr) => lr.toPrecision(2) }],
    },
    ...scheduled
      ? [{
        title: "λ, weight of the KL term",
        curves: [{
          ...own,
          value: ({ lambda }: EpochMetrics) => lambda,
          words: (lambda: number) => lambda.toFixed(2),
        }],
      }]
      : [],
  ];
}
