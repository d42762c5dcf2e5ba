import { IMPORTANCES } from "../../nn/compress/importance.ts";
import {
  DEFAULT_VARIANTS,
  MODEL_NAMES,
  STEM_MODELS,
  VARIANT_MODELS,
} from "../../nn/families/mod.ts";
import { MODEL_FILE } from "../../export/model_file_name.ts";
import { WHICH } from "../../nn/which.ts";
import type { Section } from "./option.ts";

/** The most small networks of a run. */
const MOST_SMALL = 8;

/** Choices without a small network. */
const BASE_ALONE = { mode: "plain", which: "base" } as const;

/** Options of the networks, and of the part of them that is trained. */
export const NETWORKS = [
  {
    title: "what is trained",
    commands: ["train"],
    options: [
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
        choices: WHICH,
        default: "base",
        only: { mode: ["plain"] },
        help: "the network that is trained",
      },
      {
        name: "teacher",
        kind: "string",
        value: "PATH",
        only: { mode: ["distill"] },
        help: "run folder, checkpoint or safetensors file of the teacher; mode distill needs it",
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
        help: "widths.json of a search, or of a run with --importance, instead of --compression; " +
          "files with commas between make a small network each",
      },
    ],
  },
  {
    title: "what is trained",
    commands: ["search", "compare"],
    options: [
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
    options: [
      {
        name: "init",
        kind: "string",
        value: "PATH",
        help: "weights to start from: a run folder, a checkpoint, or a safetensors file of ours, " +
          "torchvision's or timm's",
      },
    ],
  },
  {
    title: "cutting what is given",
    commands: ["train", "search"],
    options: [
      {
        name: "importance",
        kind: "choice",
        choices: IMPORTANCES,
        idle: [BASE_ALONE],
        otherwise: "l2 of given weights",
        help:
          "which filters of --init, or of a model in a file, the small network keeps: the first, or by norms of filters, " +
          "scales of norms, or gradients",
      },
      {
        name: "bnBatches",
        kind: "integer",
        min: 0,
        idle: [BASE_ALONE],
        beside: ["widthsOnly"],
        otherwise: "16 where given weights are cut, else 0",
        help:
          "training batches on which the small network's batch norms are estimated at the start",
      },
    ],
  },
  {
    title: "networks",
    commands: ["train", "search", "compare"],
    options: [
      {
        name: "model",
        kind: "choice",
        choices: MODEL_NAMES,
        orFile: MODEL_FILE,
        default: "resnet8",
        help: "the base network",
      },
      {
        name: "maskingFactor",
        kind: "number",
        min: 0,
        below: 1,
        default: 0,
        idle: [BASE_ALONE],
        beside: ["widthsOnly"],
        help: "the part of each masked kernel's taps that is zeroed besides",
      },
      {
        name: "drop",
        kind: "number",
        min: 0,
        below: 1,
        default: 0,
        help: "dropout: the share of what the classifier reads that training drops",
      },
      {
        name: "dropPath",
        kind: "number",
        min: 0,
        below: 1,
        default: 0,
        help: "stochastic depth: how often training drops the branch of the last residual block, " +
          "growing linearly from 0 at the first",
      },
    ],
  },
  {
    title: "network",
    commands: ["train", "search", "compare", "summary", "bench step"],
    options: [
      {
        name: "variant",
        kind: "choice",
        choices: ["xresnet", "torchvision"],
        default: { model: DEFAULT_VARIANTS },
        only: { model: VARIANT_MODELS },
        help: "the authors' form of ResNet, or torchvision's resnet18, 34, 50, 101 and 152",
      },
      {
        name: "stem",
        kind: "choice",
        choices: ["authors", "cifar"],
        // Those that torchvision has are its own.
        default: { variant: { xresnet: { dataset: { generated: "authors" } } } },
        otherwise: "that of model and variant",
        only: { model: STEM_MODELS },
        help: "three convolutions with stride and pool (xresnet), or one for CIFAR's size",
      },
      {
        name: "maskFrom",
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
    title: "widths of the small network",
    commands: ["train", "search", "compare", "summary"],
    options: [
      {
        name: "roundTo",
        kind: "integer",
        min: 1,
        default: 1,
        idle: [BASE_ALONE],
        beside: ["widths"],
        help: "numbers of filters are multiples of it, as far as there are so many",
      },
    ],
  },
  {
    title: "small networks",
    commands: ["train", "summary", "bench step"],
    options: [
      {
        name: "compression",
        kind: "numbers",
        alone: true,
        min: 1,
        count: [1, MOST_SMALL],
        order: "different",
        default: 4,
        idle: [BASE_ALONE, { mode: "search" }],
        beside: ["widths"],
        help:
          "alpha: masked convolutions of the small network keep floor(filters / alpha); 2,4,8 " +
          "makes three small networks, small-2, small-4 and small-8",
      },
    ],
  },
  {
    title: "several small networks",
    commands: ["train", "bench step"],
    options: [
      {
        name: "sandwich",
        kind: "integer",
        min: 1,
        max: MOST_SMALL,
        only: { mode: ["adjoined"] },
        otherwise: "all of them",
        help: "of several small networks, how many each step trains: the smallest, and others at " +
          "random",
      },
    ],
  },
] as const satisfies readonly Section[];
