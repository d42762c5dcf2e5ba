import type { CommandDescription } from "./command.ts";

/** `eval`. */
export const EVAL = {
  help: "measure saved networks on validation images",
  positionals: ["RUN"],
  examples: [
    ["eval runs/photos", "all networks of a run, on its validation images"],
    ["eval runs/photos/small.safetensors --data-dir photos", "one file, on the images of a folder"],
    ["eval runs/photos --json", "the same as JSON"],
  ],
  sections: [
    {
      title: "evaluation",
      commands: ["eval"],
      options: [
        {
          name: "seed",
          kind: "integer",
          min: 0,
          max: Number.MAX_SAFE_INTEGER,
          default: 0,
          only: { dataset: ["generated"] },
          help: "of generated images",
        },
        {
          name: "batchSize",
          short: "b",
          also: ["batch"],
          kind: "integer",
          min: 1,
          default: 64,
          help: "images at a time",
        },
        {
          name: "output",
          kind: "string",
          value: "DIR",
          otherwise: "the run folder; of a file none, and no pictures",
          help: "folder for confusion.svg and mistakes.png, those of a base network base-*",
        },
        {
          name: "quiet",
          kind: "boolean",
          help: "print only accuracies, losses and speed; no progress",
        },
        {
          name: "json",
          kind: "boolean",
          help: "print JSON instead of words",
        },
      ],
    },
  ],
} as const satisfies CommandDescription;
