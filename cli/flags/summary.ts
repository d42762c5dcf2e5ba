import { MODEL_NAMES } from "../../nn/families/mod.ts";
import { MODEL_FILE } from "../../export/model_file_name.ts";
import type { CommandDescription } from "./command.ts";

/** `summary`. */
export const SUMMARY = {
  help: "print layers, parameters and multiply-accumulates",
  positionals: [],
  examples: [
    ["summary", "resnet50 and its small network at 224x224 pixels"],
    [
      "summary --model resnet18 --classes 10 --image-size 32 --compression 2",
      "half of the filters of resnet18, for small images",
    ],
    ["summary --model mobilenetv2_100 --json", "totals as JSON"],
  ],
  sections: [
    {
      title: "what is counted",
      commands: ["summary"],
      options: [
        {
          name: "model",
          kind: "choice",
          choices: MODEL_NAMES,
          orFile: MODEL_FILE,
          default: "resnet50",
          help: "the base network",
        },
        {
          name: "classes",
          also: ["num-classes"],
          kind: "integer",
          min: 1,
          default: 1000,
          help: "outputs of the classifier",
        },
        {
          name: "channels",
          kind: "integer",
          min: 1,
          default: 3,
          help: "channels of the image",
        },
        {
          name: "imageSize",
          also: ["img-size"],
          kind: "integer",
          min: 1,
          default: 224,
          help: "pixels of a side of the image",
        },
      ],
    },
    {
      title: "output",
      commands: ["summary"],
      options: [
        {
          name: "latency",
          kind: "boolean",
          help: "time the layers in onnxruntime-web, and name those too narrow to pay",
        },
        {
          name: "json",
          kind: "boolean",
          help: "print totals as JSON instead of the table",
        },
      ],
    },
  ],
} as const satisfies CommandDescription;
