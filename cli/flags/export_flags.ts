import type { Section } from "./flag.ts";

/** Flags of `export` and `eval`. */
export const EXPORT_SECTIONS = [
  {
    title: "what is exported",
    commands: ["export"],
    flags: [
      {
        name: "which",
        kind: "choice",
        choices: ["base", "small"],
        defaults: "small; of a file, what it holds",
        help: "the network of a run folder",
      },
      {
        name: "format",
        kind: "choice",
        choices: ["onnx", "safetensors"],
        default: "onnx",
        help: "ONNX, or PyTorch's names and layouts",
      },
      {
        name: "include-normalization",
        kind: "boolean",
        help: "ONNX that takes pixels from 0 to 255 and normalises them itself",
      },
      {
        name: "output",
        kind: "string",
        value: "FILE",
        defaults: "in the run folder, WHICH.onnx or WHICH.torch.safetensors",
        help: "the file to write; its folder is made if need be",
      },
      {
        name: "overwrite",
        kind: "boolean",
        help: "replace the file if it is there already",
      },
      {
        name: "data-dir",
        kind: "string",
        value: "DIR",
        defaults: "that of the run",
        help: "folder with the files of the run's data set, if it was moved",
      },
    ],
  },
  {
    title: "evaluation",
    commands: ["eval"],
    flags: [
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
        name: "batch-size",
        short: "b",
        kind: "integer",
        min: 1,
        default: 64,
        help: "images at a time",
      },
      {
        name: "json",
        kind: "boolean",
        help: "print JSON instead of words",
      },
    ],
  },
] as const satisfies readonly Section[];
