import type { CommandDescription } from "./command.ts";

/** `wgsl`. */
export const WGSL = {
  help: "print the shaders of an op",
  positionals: ["OP"],
  examples: [
    ["wgsl relu", "the shaders of the first case, forward and gradient"],
    ["wgsl conv2d --list", "the cases that the op is tested on"],
    ["wgsl conv2d --case 1 --preset software", "shaders of a case as software drivers get them"],
  ],
  sections: [
    {
      title: "shaders",
      commands: ["wgsl"],
      options: [
        {
          name: "case",
          kind: "integer",
          min: 0,
          otherwise: "0; with --list all",
          help: "number of the case among those that the op is tested on",
        },
        {
          name: "preset",
          kind: "choice",
          choices: ["software", "gpu"],
          default: "gpu",
          help: "the kind of adapter that kernels are shaped for",
        },
        {
          name: "kernel",
          kind: "string",
          value: "NAME",
          otherwise: "all",
          help: "only kernels with this in their names",
        },
        {
          name: "list",
          kind: "boolean",
          help: "print the cases and the names of their kernels",
        },
      ],
    },
  ],
} as const satisfies CommandDescription;
