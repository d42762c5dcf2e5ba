import type { Section } from "../../train/options/option.ts";

/** The folder of a run, and what is printed of it. */
export const RUN = [
  {
    title: "run",
    commands: ["train", "search", "compare"],
    options: [
      {
        name: "config",
        course: false,
        kind: "string",
        value: "FILE",
        help: "options as config.json of a run holds them; flags win, and a folder that it names " +
          "gets -2, -3 and so on if taken",
      },
      {
        name: "output",
        course: false,
        kind: "string",
        value: "DIR",
        otherwise: "runs/MODEL-MODE-DATASET-SEED, with -2, -3 and so on if taken",
        help: "run folder",
      },
      {
        name: "overwrite",
        course: false,
        kind: "boolean",
        help: "use the run folder even if it is not empty; the run in it is replaced at the end",
      },
      {
        name: "beside",
        course: false,
        kind: "string",
        value: "RUN,...",
        beside: ["widthsOnly"],
        help: "other runs or comparisons whose networks pareto.svg shows as well",
      },
      {
        name: "serve",
        course: false,
        kind: "boolean",
        help: "serve the report as a live page to browsers on this machine",
      },
      {
        name: "tensorboard",
        course: false,
        kind: "boolean",
        help: "write losses, accuracies and rates for TensorBoard, too",
      },
      {
        name: "quiet",
        course: false,
        kind: "boolean",
        help: "print only the result",
      },
      {
        name: "json",
        course: false,
        kind: "boolean",
        beside: ["dryRun"],
        help: "print only the result, as JSON",
      },
    ],
  },
  {
    title: "checkpoints",
    commands: ["train", "search", "compare"],
    options: [
      {
        name: "resume",
        course: false,
        kind: "string",
        value: "RUN",
        help: "go on with the run in a folder, or from one of its checkpoints; auto: with the " +
          "newest run of the name",
      },
    ],
  },
  {
    title: "dry run",
    commands: ["train", "search", "compare"],
    options: [
      {
        name: "dryRun",
        course: false,
        kind: "boolean",
        help:
          "print the plan, the first batch and the GPU memory that the run would take; train and " +
          "write nothing",
      },
    ],
  },
] as const satisfies readonly Section[];
