import { AUGMENTS, DATASET_NAMES, FILE_SET_NAMES } from "../../data/recipes.ts";
import type { Section } from "./option.ts";

/** The images that a network is trained and validated on. */
export const IMAGES = [
  {
    title: "data",
    commands: ["train", "search", "compare", "eval"],
    options: [
      {
        name: "dataset",
        kind: "choice",
        choices: DATASET_NAMES,
        default: "generated",
        help: "images drawn from the seed, or read from the files in --data-dir",
      },
      {
        name: "dataDir",
        kind: "string",
        value: "DIR",
        only: { dataset: FILE_SET_NAMES },
        help: "folder with the files of the data set",
      },
      {
        name: "valSize",
        kind: "integer",
        min: 1,
        default: { dataset: { generated: 1000 } },
        otherwise: "all",
        help: "validation images, each class in proportion",
      },
    ],
  },
  {
    title: "training images",
    commands: ["train", "search", "compare"],
    options: [
      {
        name: "trainSize",
        kind: "integer",
        min: 1,
        default: { dataset: { generated: 4000 } },
        otherwise: "all",
        help: "training images, each class in proportion",
      },
      {
        name: "valSplit",
        kind: "number",
        above: 0,
        below: 1,
        only: { dataset: FILE_SET_NAMES },
        help: "the part of the training images that is validated on, instead of the test images",
      },
      {
        name: "augment",
        kind: "choice",
        choices: ["none", "crop-flip", "crop", "resized-crop"],
        default: { dataset: AUGMENTS },
        help: "what is done to training images",
      },
      {
        name: "normalization",
        kind: "choice",
        choices: ["data", "imagenet"],
        otherwise: "data; with --init as the file says, and imagenet where it says nothing",
        help: "mean and deviation of pixels, measured on the training images or ImageNet's",
      },
    ],
  },
] as const satisfies readonly Section[];
