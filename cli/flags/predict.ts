import type { CommandDescription } from "./command.ts";
import { WHICH_FORM } from "./which_form.ts";

/** `predict`. */
export const PREDICT = {
  help: "say what pictures show",
  positionals: ["RUN", "PICTURE..."],
  examples: [
    ["predict runs/photos cat.jpg", "the five most probable classes of a picture"],
    ["predict runs/photos photos/val --top 1", "the class of all pictures in a folder"],
    ["predict runs/photos cat.jpg --which base --json", "by the base network, as JSON"],
  ],
  sections: [
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
          kind: "string",
          value: "NAME",
          form: WHICH_FORM,
          otherwise: "small, or the last of several, where there is one",
          help:
            "the network of a run folder or a checkpoint: base, small, or of several small-2 and so on",
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
          name: "quiet",
          kind: "boolean",
          help: "print only the predictions, and what pictures are broken",
        },
        {
          name: "json",
          kind: "boolean",
          help: "print an array of {file, predictions} instead of lines",
        },
      ],
    },
  ],
} as const satisfies CommandDescription;
