import type { Summary } from "../train/types.ts";

/** The summary of a run that never was. */
export const runSummary: Summary = {
  mode: "adjoined",
  model: "resnet8",
  dataset: "generated",
  seed: 0,
  adapter: "test",
  epochs: 2,
  seconds: 1,
};
