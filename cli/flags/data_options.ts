import type { Section } from "../../train/options/option.ts";

/** Options of `data`. */
export const DATA = [
  {
    title: "what is checked",
    commands: ["data"],
    options: [
      {
        name: "dataset",
        kind: "choice",
        choices: ["folder", "pets", "cifar10", "cifar100"],
        otherwise: "what the folder has",
        help: "the kind of data set that the pictures in the folder are",
      },
    ],
  },
  {
    title: "output",
    commands: ["data"],
    options: [
      {
        name: "json",
        kind: "boolean",
        help: "print all that was found as JSON instead of the table",
      },
      {
        name: "output",
        kind: "string",
        value: "FILE",
        otherwise: "runs/data-DIR/sheet.png, which is replaced",
        help: "the file for the sheet of pictures, or a folder for it",
      },
      {
        name: "overwrite",
        kind: "boolean",
        help: "replace the file of --output if it is there already",
      },
    ],
  },
] as const satisfies readonly Section[];
