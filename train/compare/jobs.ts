import { type Job, jobOn } from "../job.ts";
import type { TrainOptions } from "../types.ts";
import type { Ground } from "./method.ts";

/** A training at the budget's uniform widths, with other options of some. */
export function uniformJob(
  { inputs, options, widths }: Ground,
  own: Partial<TrainOptions> = {},
): Job {
  return jobOn(inputs, { ...options, widths, ...own });
}

/** The base network alone. */
export function baseJob(ground: Ground): Job {
  return uniformJob(ground, { mode: "plain", which: "base" });
}

/** The small network alone. */
export function smallJob(ground: Ground): Job {
  return uniformJob(ground, { mode: "plain", which: "small" });
}
