import type { Section } from "../../train/options/option.ts";

/** Options of `predict`. */
export const PREDICT = [
  {
    title: "prediction",
    commands: ["predict"],
    options: [
      {
        name: "top",
        kind: "integer",
        min: 1,
        default: 5,
        help: "the most probable classes of each picture",
      },
      {
        name: "which",
        kind: "choice",
        choices: ["base", "small"],
        otherwise: "small, where there is one",
        help: "the network of a run folder or a checkpoint",
      },
      {
        name: "batchSize",
        short: "b",
        also: ["batch"],
        kind: "integer",
        min: 1,
        default: 32,
        help: "pictures at a time",
      },
      {
        name: "json",
        kind: "boolean",
        help: "print an array of {file, predictions} instead of lines",
      },
    ],
  },
] as const satisfies readonly Section[];
