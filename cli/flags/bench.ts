import { MODEL_NAMES } from "../../nn/families/mod.ts";
import type { Section } from "../../train/options/option.ts";
import type { CommandDescription } from "./command.ts";

/** Options of the benches. */
export const BENCH = [
  {
    title: "convolution",
    commands: ["bench conv"],
    options: [
      {
        name: "kernel",
        kind: "integer",
        min: 1,
        default: 3,
        help: "side of the filters",
      },
      {
        name: "stride",
        kind: "integer",
        min: 1,
        default: 1,
        help: "pixels from one place of the filter to the next",
      },
      {
        name: "padding",
        kind: "integer",
        min: 0,
        otherwise: "floor(kernel / 2)",
        help: "zeros on every side of the image",
      },
      {
        name: "in",
        kind: "integer",
        min: 1,
        default: 64,
        help: "input channels",
      },
      {
        name: "out",
        kind: "integer",
        min: 1,
        default: 64,
        help: "output channels",
      },
      {
        name: "groups",
        kind: "integer",
        min: 1,
        default: 1,
        help: "groups of channels; with more than one, bandwidths are compared with a ReLU's",
      },
      {
        name: "size",
        also: ["image-size"],
        kind: "integer",
        min: 1,
        default: 32,
        help: "pixels of a side of the image",
      },
      {
        name: "batch",
        also: ["batch-size"],
        kind: "integer",
        min: 1,
        default: 32,
        help: "images",
      },
    ],
  },
  {
    title: "training step",
    commands: ["bench step"],
    options: [
      {
        name: "model",
        kind: "choice",
        choices: MODEL_NAMES,
        default: "resnet20",
        help: "the base network",
      },
      {
        name: "mode",
        kind: "choice",
        choices: ["plain", "adjoined", "search"],
        default: "adjoined",
        help: "the base network alone, both networks, or the search of widths 1/1 to 1/8",
      },
      {
        name: "batch",
        also: ["batch-size"],
        kind: "integer",
        min: 1,
        default: 64,
        help: "images of a step",
      },
      {
        name: "imageSize",
        also: ["img-size"],
        kind: "integer",
        min: 12,
        default: 32,
        help: "pixels of a side of the image",
      },
      {
        name: "besidePlain",
        kind: "boolean",
        idle: [{ mode: "plain" }],
        help:
          "time the plain step in turn with that of both networks, for the median of their ratios",
      },
      {
        name: "checkpoint",
        kind: "boolean",
        help: "time how long training waits for a checkpoint as well",
      },
      {
        name: "profile",
        kind: "boolean",
        help: "say by kernel where the time goes, as a second table: GFLOP/s (2 to a " +
          "multiply-accumulate), GB/s (each tensor moved once), and what limits it: compute or " +
          "memory, whichever roof it is nearer to, of those measured; latency below 10 % of both",
      },
    ],
  },
  {
    title: "pictures",
    commands: ["bench data"],
    options: [
      {
        name: "workers",
        kind: "numbers",
        min: 1,
        max: 64,
        count: [1, 8],
        order: "ascending",
        default: [1, 2, 4],
        help: "how many decode pictures at a time, one number after the other",
      },
      {
        name: "imageSizes",
        kind: "numbers",
        min: 4,
        max: 4096,
        count: [1, 8],
        order: "ascending",
        default: [32, 64, 224],
        help: "pixels of a side of what networks would be shown, one after the other",
      },
    ],
  },
  {
    title: "peers",
    commands: ["bench peers"],
    options: [
      {
        name: "large",
        kind: "boolean",
        help: "work of a size for graphics processors",
      },
      {
        name: "only",
        kind: "string",
        value: "TEXT",
        help: "work with this in its name; writes nothing",
      },
      {
        name: "all",
        kind: "boolean",
        help: "give every peer all work, also what takes minutes",
      },
    ],
  },
  {
    title: "timing",
    commands: ["bench conv", "bench step"],
    options: [
      {
        name: "repeats",
        kind: "integer",
        min: 1,
        default: 15,
        help: "measurements, whose median is the time",
      },
      {
        name: "json",
        kind: "boolean",
        help: "print JSON instead of the table",
      },
    ],
  },
  {
    title: "timing",
    commands: ["bench data", "bench peers"],
    options: [
      {
        name: "repeats",
        kind: "integer",
        min: 1,
        default: 3,
        help: "measurements of each peer in turn, whose median is the time",
      },
      {
        name: "quiet",
        kind: "boolean",
        help: "print only the table at the end",
      },
    ],
  },
] as const satisfies readonly Section[];

/** `bench conv`. */
export const BENCH_CONV = {
  help: "time a convolution and its gradients",
  positionals: [],
  examples: [
    ["bench conv", "a 3x3 convolution of 64 channels at 32x32 pixels"],
    ["bench conv --in 64 --out 64 --groups 64 --size 56", "a depthwise convolution"],
    ["bench conv --kernel 1 --json", "a pointwise convolution, as JSON"],
  ],
  sections: [],
} as const satisfies CommandDescription;

/** `bench step`. */
export const BENCH_STEP = {
  help: "time training steps",
  positionals: [],
  examples: [
    ["bench step", "resnet20 and its twin, 64 images of 32x32 pixels"],
    [
      "bench step --model resnet50 --image-size 224 --batch 16 --profile",
      "with the time of each kernel",
    ],
    ["bench step --beside-plain", "how much longer than a step of the base network alone"],
  ],
  sections: [],
} as const satisfies CommandDescription;

/** `bench data`. */
export const BENCH_DATA = {
  help: "time how fast pictures are read and decoded",
  positionals: ["[DIR]"],
  examples: [
    ["bench data photos", "how long a network would wait for your own pictures"],
    [
      "bench data photos --workers 1,2,4 --image-sizes 224",
      "by the number of workers, for images of 224 pixels a side",
    ],
  ],
  sections: [],
} as const satisfies CommandDescription;

/** `bench peers`. */
export const BENCH_PEERS = {
  help: "time other libraries on the same work",
  positionals: [],
  examples: [
    ["bench peers", "all that is here; the table goes to BENCHMARKS.md"],
    ["bench peers --only linear", "what has this in its name"],
  ],
  sections: [],
} as const satisfies CommandDescription;
