import { timeOf } from "../comparison.ts";
import { gflop } from "../conv.ts";
import type { ConvolutionTask, StepTask } from "../work.ts";
import { CARD, RESNET18, RESNET50 } from "./plan.ts";
import type { Results } from "./results.ts";

/** What this project's columns are called. */
export const OURS = {
  float32: "adjoin float32",
  mixed: "adjoin mixed",
  dawn: "adjoin mixed on Dawn",
} as const;

/** What is aimed at. */
export interface Bound {
  /** What is bounded. */
  readonly what: string;
  /** Whether it may not be more, or not be less than `limit`. */
  readonly at: "most" | "least";
  readonly limit: number;
  readonly unit: string;
  /** What would be better still. */
  readonly aim?: number;
  /** What was measured, if it was. */
  readonly found: (results: Results) => number | undefined;
}

/** The time of a task in a column. */
function msOf({ peers, rows }: Results, task: string, column: string): number | undefined {
  const outcome = rows.find((row) => row.task.name === task)
    ?.outcomes[peers.findIndex(({ name }) => name === column)];
  return outcome && timeOf(outcome);
}

function stepBound(
  { name }: StepTask,
  column: string,
  { limit, aim }: { readonly limit: number; readonly aim?: number },
): Bound {
  const found = (results: Results): number | undefined => msOf(results, name, column);
  return { what: `${name}, ${column}`, at: "most", limit, unit: "ms", aim, found };
}

/** Convolutions with at least so many channels, for which matrix units are to pay. */
const WIDE = 128;

/** The slowest direction of the convolutions that are wide; none before all of them are measured. */
function slowestWide(results: Results): number | undefined {
  const wide = results.rows.map(({ task }) => task)
    .filter((task): task is ConvolutionTask => task.kind === "convolution")
    .filter((task) => task.kernel === 3 && task.in >= WIDE);
  const speeds = wide.map((task) => {
    const ms = msOf(results, task.name, OURS.dawn);
    return ms === undefined ? NaN : gflop({ ...task, stride: 1, padding: 1 }) / ms;
  });
  const least = Math.min(...speeds);
  return Number.isFinite(least) ? least : undefined;
}

function memoryRatio({ peers, rows }: Results): number | undefined {
  const outcomes = rows.find(({ task }) => task.name === RESNET50.name)?.outcomes ?? [];
  const bytes = (column: string): number => {
    const outcome = outcomes[peers.findIndex(({ name }) => name === column)];
    return outcome && !("note" in outcome) ? outcome.bytes ?? NaN : NaN;
  };
  const ratio = bytes(OURS.mixed) / bytes(OURS.float32);
  return Number.isFinite(ratio) ? ratio : undefined;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * How many points a precision's accuracies are from float32's in the mean of all seeds, the network
 * that is furthest off counts. Networks that know less than half are not trained, as in a trial.
 */
function pointsOff({ accuracies }: Results, name: string): number | undefined {
  const [own, float32] = [name, OURS.float32].map((name) =>
    accuracies.find((accuracy) => accuracy.name === name && !accuracy.note)
  );
  if (!own || !float32) return undefined;
  const points = Object.entries(float32.top1).map(([network, top1]) =>
    meanOf(top1) < 0.5 ? NaN : 100 * Math.abs(meanOf(own.top1[network] ?? []) - meanOf(top1))
  );
  const most = Math.max(...points);
  return Number.isFinite(most) ? most : undefined;
}

function accuracyBound(name: string): Bound {
  return {
    ...{ what: `accuracy, ${name}, off float32's`, at: "most", limit: 0.5, unit: "points" },
    found: (results) => pointsOff(results, name),
  };
}

/** All bounds, in the order of the report. */
export const BOUNDS: readonly Bound[] = [
  stepBound(RESNET50, OURS.dawn, { limit: 28, aim: 19 }),
  stepBound(RESNET18, OURS.dawn, { limit: 8.4, aim: 5 }),
  stepBound(RESNET50, OURS.mixed, { limit: 45 }),
  {
    what: `the slowest 3x3 convolution from ${WIDE} channels on, ${OURS.dawn}`,
    ...{ at: "least", limit: 200, unit: "TFLOP/s", found: slowestWide },
  },
  {
    what: `memory of the ${RESNET50.name}, mixed over float32`,
    ...{ at: "most", limit: 0.6, unit: "times", found: memoryRatio },
  },
  accuracyBound(OURS.mixed),
  accuracyBound(OURS.dawn),
  {
    ...{ what: "time of a step that has the name of a kernel", at: "least", limit: 95, unit: "%" },
    found: ({ profiles }) => {
      const large = CARD.profiles.map(({ name }) => name);
      const parts = profiles.flatMap(({ name, attributed }) =>
        large.some((step) => name.startsWith(`${step},`)) ? attributed ?? [] : []
      );
      return parts.length ? 100 * Math.min(...parts) : undefined;
    },
  },
];

/** Whether a bound is reached, in words. */
export function verdict({ what, at, limit, unit, aim, found }: Bound, results: Results): string {
  const value = found(results);
  const wanted = `wanted at ${at} ${limit}${aim === undefined ? "" : `, better ${aim}`} ${unit}`;
  if (value === undefined) return `not measured: ${what}, ${wanted}`;
  const reached = at === "most" ? value <= limit : value >= limit;
  const number = Number(value.toPrecision(3));
  return `${reached ? "reached" : "not reached"}: ${what}: ${number} ${unit}, ${wanted}`;
}
