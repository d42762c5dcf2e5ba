import { DATASET_NAMES } from "../../data/folder.ts";
import { MODEL_NAMES } from "../../nn/resnet.ts";
import { BENCH_SECTIONS } from "./bench_flags.ts";
import { byDataset, byOptimizer } from "../../train/defaults.ts";
import { EXPORT_SECTIONS } from "./export_flags.ts";
import type { Section } from "./flag.ts";
import { SEARCH_SECTIONS } from "./search_flags.ts";

/** What has no small network. */
const BASE_ALONE = { mode: "plain", which: "base" } as const;

/** All flags of all subcommands, named as in timm where timm has them. */
export const SECTIONS = [
  {
    title: "what is trained",
    commands: ["train"],
    flags: [
      {
        name: "mode",
        kind: "choice",
        choices: ["adjoined", "plain", "distill"],
        default: "adjoined",
        help: "both networks on shared weights, one alone, or one taught by a frozen teacher",
      },
      {
        name: "which",
        kind: "choice",
        choices: ["base", "small"],
        default: "base",
        only: { mode: ["plain"] },
        help: "the network that is trained",
      },
      {
        name: "teacher",
        kind: "string",
        value: "PATH",
        only: { mode: ["distill"] },
        help: "run folder or safetensors file of the teacher; mode distill needs it",
      },
      {
        name: "detach",
        kind: "boolean",
        only: { mode: ["adjoined"] },
        help: "give the base network no gradient of the KL term",
      },
      {
        name: "widths",
        kind: "string",
        value: "FILE",
        idle: [BASE_ALONE],
        help: "widths.json of a search, instead of --compression",
      },
    ],
  },
  {
    title: "what is trained",
    commands: ["search", "compare"],
    flags: [
      {
        name: "detach",
        kind: "boolean",
        help: "give the base network no gradient of the KL term",
      },
    ],
  },
  {
    title: "start",
    commands: ["train", "search"],
    flags: [
      {
        name: "init",
        kind: "string",
        value: "PATH",
        help: "weights to start from: a run folder, or a safetensors file of ours, " +
          "torchvision's or timm's",
      },
    ],
  },
  {
    title: "networks",
    commands: ["train", "search", "compare"],
    flags: [
      {
        name: "model",
        kind: "choice",
        choices: MODEL_NAMES,
        default: "resnet8",
        help: "the base network",
      },
      {
        name: "masking-factor",
        kind: "number",
        min: 0,
        below: 1,
        default: 0,
        idle: [BASE_ALONE],
        help: "the part of each masked kernel's taps that is zeroed besides",
      },
    ],
  },
  {
    title: "network",
    commands: ["train", "search", "compare", "summary", "bench step"],
    flags: [
      {
        name: "variant",
        kind: "choice",
        choices: ["xresnet", "torchvision"],
        default: "xresnet",
        help: "the authors' form of ResNet, or torchvision's resnet18, 34, 50, 101 and 152",
      },
      {
        name: "stem",
        kind: "choice",
        choices: ["authors", "cifar"],
        defaults: "as model and variant have it; generated with xresnet: authors",
        help: "three convolutions with stride and pool (xresnet), or one for CIFAR's size",
      },
      {
        name: "mask-from",
        kind: "integer",
        min: 1,
        default: 2,
        idle: [BASE_ALONE],
        help: "the first stage that is masked; all before it is whole in both networks",
      },
      {
        name: "trunk",
        kind: "choice",
        choices: ["shared", "separate"],
        default: "shared",
        idle: [{ mode: "plain" }, { mode: "distill" }],
        help: "whether layers before the first masked one run once, or for each network",
      },
    ],
  },
  {
    title: "small network",
    commands: ["train", "summary", "bench step"],
    flags: [
      {
        name: "compression",
        kind: "number",
        min: 1,
        default: 4,
        idle: [BASE_ALONE, { mode: "search" }],
        help: "alpha: masked convolutions of the small network keep floor(filters / alpha)",
      },
    ],
  },
  ...SEARCH_SECTIONS,
  {
    title: "what is counted",
    commands: ["summary"],
    flags: [
      {
        name: "model",
        kind: "choice",
        choices: MODEL_NAMES,
        default: "resnet50",
        help: "the base network",
      },
      {
        name: "classes",
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
        name: "image-size",
        kind: "integer",
        min: 1,
        default: 224,
        help: "pixels of a side of the image",
      },
    ],
  },
  {
    title: "data",
    commands: ["train", "search", "compare", "eval"],
    flags: [
      {
        name: "dataset",
        kind: "choice",
        choices: DATASET_NAMES,
        default: "generated",
        help: "images drawn from the seed, or read from the files in --data-dir",
      },
      {
        name: "data-dir",
        kind: "string",
        value: "DIR",
        only: { dataset: ["cifar10", "cifar100", "idx"] },
        help: "folder with the files of the data set",
      },
      {
        name: "val-size",
        kind: "integer",
        min: 1,
        defaults: "all; generated 1000",
        help: "validation images",
      },
    ],
  },
  {
    title: "training images",
    commands: ["train", "search", "compare"],
    flags: [
      {
        name: "train-size",
        kind: "integer",
        min: 1,
        defaults: "all; generated 4000",
        help: "training images",
      },
      {
        name: "augment",
        kind: "choice",
        choices: ["none", "crop-flip", "crop", "resized-crop"],
        defaults: byDataset("augment"),
        help: "what is done to training images",
      },
      {
        name: "normalization",
        kind: "choice",
        choices: ["data", "imagenet"],
        defaults: "data; with --init as the file says, and imagenet where it says nothing",
        help: "mean and deviation of pixels, measured on the training images or ImageNet's",
      },
    ],
  },
  {
    title: "training",
    commands: ["train", "search", "compare"],
    flags: [
      {
        name: "epochs",
        short: "e",
        kind: "integer",
        min: 1,
        defaults: byDataset("epochs"),
        help: "how often each training image is seen",
      },
      {
        name: "batch-size",
        short: "b",
        kind: "integer",
        min: 1,
        defaults: byDataset("batchSize"),
        help: "images of a step; of each epoch, a last batch that is not full is left out",
      },
      {
        name: "lr",
        kind: "number",
        above: 0,
        defaults: `${byDataset("lr")}; ${byOptimizer("lr")}`,
        help: "learning rate, the highest of its schedule",
      },
      {
        name: "opt",
        kind: "choice",
        choices: ["sgd", "adamw"],
        default: "adamw",
        help: "optimiser",
      },
      {
        name: "sched",
        kind: "choice",
        choices: ["constant", "step", "cosine", "onecycle"],
        defaults: byOptimizer("sched"),
        help: "schedule of the learning rate",
      },
      {
        name: "warmup-epochs",
        kind: "number",
        min: 0,
        default: 0,
        only: { sched: ["constant", "step", "cosine"] },
        help: "epochs over which the learning rate first rises from 0",
      },
      {
        name: "decay-rate",
        kind: "number",
        above: 0,
        max: 1,
        default: 0.1,
        only: { sched: ["step"] },
        help: "factor on the learning rate at 1/3 and at 2/3 of the run",
      },
      {
        name: "momentum",
        kind: "number",
        min: 0,
        below: 1,
        default: 0.9,
        only: { sched: ["constant", "step", "cosine"] },
        help: "momentum of sgd, beta1 of adamw; onecycle has its own",
      },
      {
        name: "nesterov",
        kind: "boolean",
        only: { opt: ["sgd"] },
        help: "Nesterov's momentum",
      },
      {
        name: "weight-decay",
        kind: "number",
        min: 0,
        defaults: byOptimizer("weightDecay"),
        help: "weight decay; decoupled for adamw",
      },
      {
        name: "smoothing",
        kind: "number",
        min: 0,
        below: 1,
        default: 0,
        help: "label smoothing",
      },
    ],
  },
  {
    title: "run",
    commands: ["train", "search", "compare"],
    flags: [
      {
        name: "seed",
        kind: "integer",
        min: 0,
        max: Number.MAX_SAFE_INTEGER,
        default: 0,
        help: "of weights, order, augmentation, masks and generated images",
      },
      {
        name: "output",
        kind: "string",
        value: "DIR",
        defaults: "runs/MODEL-MODE-DATASET-SEED, with -2, -3 and so on if taken",
        help: "run folder",
      },
      {
        name: "overwrite",
        kind: "boolean",
        help: "use the run folder even if it is not empty; the run in it is replaced at the end",
      },
      {
        name: "quiet",
        kind: "boolean",
        help: "print only the result",
      },
    ],
  },
  {
    title: "dry run",
    commands: ["train"],
    flags: [
      {
        name: "dry-run",
        kind: "boolean",
        help: "print the GPU memory that the run would take; train and write nothing",
      },
    ],
  },
  {
    title: "output",
    commands: ["summary"],
    flags: [
      {
        name: "json",
        kind: "boolean",
        help: "print totals as JSON instead of the table",
      },
    ],
  },
  ...EXPORT_SECTIONS,
  ...BENCH_SECTIONS,
  {
    title: "other",
    commands: [
      ...["train", "search", "compare", "export", "eval", "summary", "parity"] as const,
      ...["bench conv", "bench step", "bench peers"] as const,
    ],
    flags: [
      {
        name: "help",
        short: "h",
        kind: "boolean",
        help: "print this text",
      },
    ],
  },
] as const satisfies readonly Section[];
