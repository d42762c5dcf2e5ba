import { CALIBRATION_NAMES } from "../../export/quantize/calibration_names.ts";
import type { CommandDescription } from "./command.ts";
import { WHICH_FORM } from "./which_form.ts";

/** `export`. */
export const EXPORT = {
  help: "write a trained network as ONNX or for PyTorch",
  positionals: ["RUN"],
  examples: [
    ["export runs/photos", "the small network as ONNX, checked in onnxruntime-web"],
    ["export runs/photos --page", "with a page that says in a browser what pictures show"],
    [
      "export runs/photos --int8 --max-drop 100",
      "in 8-bit integers, however much accuracy that costs",
    ],
    ["export runs/photos --which base --format safetensors", "the base network, for PyTorch"],
  ],
  sections: [
    {
      title: "what is exported",
      commands: ["export"],
      options: [
        {
          name: "which",
          kind: "string",
          value: "NAME",
          form: WHICH_FORM,
          otherwise: "all small ones; of a file of one network, what it holds",
          help:
            "the network of a run folder or a checkpoint: base, small, or of several small-2 and so on",
        },
        {
          name: "format",
          kind: "choice",
          choices: ["onnx", "safetensors"],
          default: "onnx",
          help: "ONNX, or PyTorch's names and layouts",
        },
        {
          name: "includeNormalization",
          kind: "boolean",
          only: { format: ["onnx"] },
          help: "ONNX that takes pixels from 0 to 255 and normalises them itself",
        },
        {
          name: "browser",
          kind: "string",
          value: "PATH",
          only: { format: ["onnx"] },
          help: "check in the WebGPU of this Chromium or Chrome as well; auto: of one that is " +
            "installed, as deno task export:browser does",
        },
        {
          name: "page",
          kind: "boolean",
          only: { format: ["onnx"] },
          help: "a page beside the file that says in a browser what pictures show",
        },
        {
          name: "int8",
          kind: "boolean",
          only: { format: ["onnx"] },
          beside: ["fp16"],
          help: "ONNX of 8-bit integers, calibrated on training images",
        },
        {
          name: "fp16",
          kind: "boolean",
          only: { format: ["onnx"] },
          help: "ONNX with weights of 16 bits",
        },
        {
          name: "calibration",
          kind: "choice",
          choices: CALIBRATION_NAMES,
          default: "percentile",
          needs: ["int8"],
          help: "the range of a value: 99.99 % of it, what loses least of its distribution, or all",
        },
        {
          name: "calibrationImages",
          kind: "integer",
          min: 1,
          max: Number.MAX_SAFE_INTEGER,
          default: 256,
          needs: ["int8"],
          help: "training images that ranges are taken from; all where there are fewer",
        },
        {
          name: "maxDrop",
          kind: "number",
          min: 0,
          max: 100,
          default: 1,
          needs: ["int8", "fp16"],
          help: "points of top-1 that may be lost, else nothing is saved",
        },
        {
          name: "output",
          kind: "string",
          value: "FILE",
          otherwise: "in the run folder, WHICH.onnx, WHICH.int8.onnx, WHICH.fp16.onnx or " +
            "WHICH.torch.safetensors; of a checkpoint beside it",
          help: "the file to write, or a folder for it (ending in / where it is new)",
        },
        {
          name: "overwrite",
          kind: "boolean",
          help: "replace the file if it is there already",
        },
        {
          name: "quiet",
          kind: "boolean",
          help: "print only the names of the files",
        },
        {
          name: "json",
          kind: "boolean",
          help: "print what was written and verified as JSON: an array with an entry a network",
        },
        {
          name: "dataDir",
          kind: "string",
          value: "DIR",
          otherwise: "that of the run",
          help: "folder with the files of the run's data set, if it was moved",
        },
      ],
    },
  ],
} as const satisfies CommandDescription;
