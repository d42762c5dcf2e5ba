import type { Section } from "../../train/options/option.ts";

/** The shaders that `wgsl` prints. */
export const WGSL = [
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
] as const satisfies readonly Section[];
