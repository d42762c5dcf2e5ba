import type { Section } from "./option.ts";

/** Options of when a run is saved, when it stops, and which of its epochs counts. */
export const CHECKPOINTS = [
  {
    title: "checkpoints",
    commands: ["train", "search", "compare"],
    options: [
      {
        name: "checkpointSteps",
        course: false,
        kind: "integer",
        min: 1,
        otherwise: "at the end of each epoch",
        help: "save a checkpoint every so many steps of an epoch as well",
      },
      {
        name: "checkpointMinutes",
        course: false,
        kind: "number",
        above: 0,
        otherwise: "at the end of each epoch",
        help: "save a checkpoint every so many minutes as well",
      },
      {
        name: "keep",
        course: false,
        kind: "integer",
        min: 0,
        default: 0,
        help: "earlier checkpoints that are kept besides the last and the best",
      },
      {
        name: "select",
        course: false,
        kind: "choice",
        choices: ["last", "best"],
        default: "last",
        beside: ["widthsOnly"],
        help: "the epoch whose networks are the result; best: by the small network's top-1",
      },
      {
        name: "patience",
        course: false,
        kind: "integer",
        min: 1,
        otherwise: "all epochs are trained",
        beside: ["widthsOnly"],
        help: "stop after so many epochs without a better small network",
      },
      {
        name: "timeLimit",
        course: false,
        kind: "number",
        above: 0,
        otherwise: "none",
        help: "stop after so many minutes, with a checkpoint to go on from",
      },
    ],
  },
] as const satisfies readonly Section[];
