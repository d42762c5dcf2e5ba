import { checkNumber } from "../data/number_check.ts";
import { printableJson } from "../data/printable.ts";
import { checkChoice } from "../nn/options.ts";

/** The names of the schedules. */
export const SCHEDULES = ["constant", "step", "cosine", "onecycle"] as const;

/** What determines a schedule. */
export interface ScheduleOptions {
  /** Which schedule it is. */
  readonly sched: typeof SCHEDULES[number];
  /** The highest learning rate. */
  readonly lr: number;
  /** Momentum of SGD, beta1 of AdamW; `onecycle` has its own. */
  readonly momentum: number;
  /** Schedule `step`: factor on the learning rate at 1/3 and at 2/3 of the run. */
  readonly decayRate: number;
  /** Epochs over which the learning rate first rises from 0; `onecycle` has none. */
  readonly warmupEpochs: number;
  /** Epochs of the run. */
  readonly epochs: number;
}

/** What a schedule sets for a step. */
export interface Rate {
  /** Learning rate. */
  readonly lr: number;
  /** Momentum of SGD, beta1 of AdamW. */
  readonly momentum: number;
}

/** The part of a one-cycle run in which the learning rate rises. */
const RISE = 0.1;
/** One-cycle: the learning rate before and after the peak, over that at the peak. */
const FIRST = 1 / 10;
const LAST = 1 / 1e5;
/** One-cycle: momentum at both ends and at the peak. */
const CALM = 0.95;
const PEAK = 0.85;

const ACTION = "set the learning rate";

function checkSchedule(
  { sched, lr, momentum, decayRate, warmupEpochs, epochs }: ScheduleOptions,
): void {
  if (!SCHEDULES.includes(sched)) {
    throw new RangeError(
      `Cannot ${ACTION}: wanted a schedule out of ${SCHEDULES.join(", ")}, found ` +
        printableJson(sched),
    );
  }
  checkNumber(ACTION, "lr", lr, { from: 0 });
  checkNumber(ACTION, "momentum", momentum, { from: 0, below: 1 });
  checkNumber(ACTION, "the decay rate", decayRate, { from: 0 });
  checkNumber(ACTION, "the epochs of warm-up", warmupEpochs, { from: 0 });
  checkNumber(ACTION, "the epochs", epochs, { from: 1, whole: true });
}

/** From `from` at t = 0 to `to` at t = 1 along half a cosine. */
function cosine(from: number, to: number, t: number): number {
  return to + (from - to) * (1 + Math.cos(Math.PI * t)) / 2;
}

function oneCycle(lr: number, t: number): Rate {
  if (t < RISE) {
    const rise = t / RISE;
    return { lr: cosine(lr * FIRST, lr, rise), momentum: cosine(CALM, PEAK, rise) };
  }
  const fall = (t - RISE) / (1 - RISE);
  return { lr: cosine(lr, lr * LAST, fall), momentum: cosine(PEAK, CALM, fall) };
}

/**
 * Learning rate and momentum of a step, counted from 0 over the whole run of
 * `epochs * stepsPerEpoch` steps.
 *
 * - `constant`: lr.
 * - `step`: lr, times `decayRate` from 1/3 of the run on and once more from 2/3 on.
 * - `cosine`: from lr along half a cosine to 0, from the end of the warm-up on.
 * - `onecycle`: lr / 10 to lr over the first tenth, then to lr / 1e5; momentum 0.95, 0.85, 0.95.
 *
 * All but `onecycle` begin with a linear warm-up over `warmupEpochs`, whose step i of n has
 * lr (i + 1) / n. Raises a `RangeError` for other schedules, steps outside the run, and numbers that
 * are none.
 */
export function rateAt(
  step: number,
  stepsPerEpoch: number,
  options: ScheduleOptions,
): Rate {
  checkSchedule(options);
  checkNumber(ACTION, "the steps of an epoch", stepsPerEpoch, { from: 1, whole: true });
  const { sched, lr, momentum, decayRate, warmupEpochs, epochs } = options;
  const range = { from: 0, to: epochs * stepsPerEpoch, whole: true };
  checkNumber(ACTION, "the step", step, range);
  const steps = epochs * stepsPerEpoch;
  if (sched === "onecycle") return oneCycle(lr, step / steps);
  const warmup = Math.round(warmupEpochs * stepsPerEpoch);
  if (step < warmup) return { lr: lr * (step + 1) / warmup, momentum };
  switch (sched) {
    case "constant":
      return { lr, momentum };
    case "step":
      return { lr: lr * decayRate ** Math.min(Math.floor(3 * step / steps), 2), momentum };
    case "cosine":
      return { lr: cosine(lr, 0, (step - warmup) / (steps - warmup)), momentum };
  }
}

/** The weight of the KL term in an epoch counted from 0: min(4 t^2, 1) with t = epoch / epochs. */
export function lambdaAt(epoch: number, epochs: number): number {
  const action = "weigh the divergence";
  checkNumber(action, "the epochs", epochs, { from: 1, whole: true });
  checkNumber(action, "the epoch", epoch, { from: 0, whole: true });
  return Math.min(4 * (epoch / epochs) ** 2, 1);
}

/** The names of the schedules of the weight of the divergence. */
export const KL_SCHEDULES = ["authors", "constant", "ramp"] as const;

/** What determines the weight of the divergence. */
export interface KlScheduleOptions {
  /** Which schedule it is. */
  readonly klSchedule: typeof KL_SCHEDULES[number];
  /** The weight at its end. */
  readonly klWeight: number;
  /** Epochs of the run. */
  readonly epochs: number;
}

/** The part of a run over which schedule `ramp` rises. */
const RAMP = 1 / 4;

/**
 * The weight of the divergence in a step, counted from 0 over the whole run of
 * `epochs * stepsPerEpoch` steps: `klWeight` times
 *
 * - `authors`: {@link lambdaAt} of its epoch, which is 0 in the first and 1 from the middle on.
 * - `constant`: 1.
 * - `ramp`: (step + 1) / n over the n steps of the first quarter of the run, then 1.
 *
 * Raises a `RangeError` for other schedules, steps outside the run, and numbers that are none.
 */
export function klWeightAt(
  step: number,
  stepsPerEpoch: number,
  { klSchedule, klWeight, epochs }: KlScheduleOptions,
): number {
  const action = "weigh the divergence";
  checkChoice(action, "the schedule", klSchedule, KL_SCHEDULES);
  checkNumber(action, "its weight", klWeight, { from: 0 });
  checkNumber(action, "the steps of an epoch", stepsPerEpoch, { from: 1, whole: true });
  checkNumber(action, "the epochs", epochs, { from: 1, whole: true });
  const steps = epochs * stepsPerEpoch;
  checkNumber(action, "the step", step, { from: 0, to: steps, whole: true });
  switch (klSchedule) {
    case "authors":
      return klWeight * lambdaAt(Math.floor(step / stepsPerEpoch), epochs);
    case "constant":
      return klWeight;
    case "ramp":
      return klWeight * Math.min((step + 1) / (RAMP * steps), 1);
  }
}
