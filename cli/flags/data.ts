import type { CommandDescription } from "./command.ts";

/** `data`. */
export const DATA = {
  help: "check the pictures of a data set without training",
  positionals: ["DIR"],
  examples: [
    ["data photos", "counts, broken pictures, copies, and a sheet of pictures"],
    [
      "data photos --json --output sheet.png --overwrite",
      "all that was found as JSON, the sheet in a file of your choice",
    ],
  ],
  sections: [
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
          name: "quiet",
          kind: "boolean",
          help: "print only what is wrong with the pictures",
        },
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
  ],
} as const satisfies CommandDescription;
