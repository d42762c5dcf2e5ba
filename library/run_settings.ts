/// <reference types="@webgpu/types" />
import type { AnySplit } from "../data/dataset.ts";
import type { DatasetName } from "../data/recipes.ts";
import type { Interpolation } from "../data/resample.ts";
import type { Checkpoint } from "../export/checkpoint.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Widths } from "../nn/compress/adjoin.ts";
import type { WidthCost } from "../nn/compress/width_cost.ts";
import type { Network } from "../nn/network.ts";
import type { SearchedNetwork } from "../train/limited_cost.ts";
import type { WidthsByName } from "../train/small_widths.ts";
import type { CommonSettings, SearchOnlySettings, TrainOnlySettings } from "./settings.ts";

/** A network with its weights: one that is at hand, or the bytes of a file that has one. */
export type SavedNetwork = Checkpoint | Uint8Array;

/** What `train()` and `search()` take besides the options of the command line. */
export interface RunSettings extends CommonSettings {
  /** The images to train on and to measure on, with the normalisation of their pixels. */
  readonly data: AnySplit;
  /**
   * The base network: a name of `MODEL_NAMES`, one of one's own, or the bytes of an ONNX file, whose
   * weights the run starts from. Default: resnet8.
   */
  readonly model?: string | Network | Uint8Array;
  /** Weights to start from: a network, or the bytes of a safetensors file of ours, torchvision's or timm's. */
  readonly init?: SavedNetwork;
  /**
   * The data set whose defaults count where an option is not given, and what the summary calls the
   * images. Default: `generated` for images of `generatedSplit`, else `folder`.
   */
  readonly dataset?: DatasetName;
  /**
   * The central part of the pictures, of their shorter side, that `data.validation` shows, in (0, 1]:
   * it is saved with the networks, and `predict()` shows them that part. Default: 1.
   */
  readonly cropPct?: number;
  /** The filter by which pictures of a `PictureSet` are brought to their size. Default: bilinear. */
  readonly interpolation?: Interpolation;
  /** Parts of a batch that are computed one after the other; `auto`: as few as fit. Default: 1. */
  readonly gradAccumSteps?: number | "auto";
  /** A GPU that stays open. Default: one is opened, and freed at the end. */
  readonly gpu?: Gpu;
  /**
   * An implementation of WebGPU to open one from, as Dawn's: on another where that is lost. Default:
   * `navigator.gpu`.
   */
  readonly webgpu?: GPU;
  /**
   * Stops the run when it is aborted, after the step that is being done: the run then rejects with its
   * reason, and `checkpoint()` has where to go on.
   */
  readonly signal?: AbortSignal;
  /** The bytes of a checkpoint to go on from; options that are not given are those of its run. */
  readonly from?: Uint8Array;
}

/** Ways to train. */
export type Mode = "adjoined" | "plain" | "distill";

/** The options of `train()`. */
export interface TrainSettings<
  M extends Mode = Mode,
  W extends "base" | "small" = "base" | "small",
  C extends number | readonly number[] = number | readonly number[],
> extends RunSettings, TrainOnlySettings {
  /** Both networks on shared weights, one alone, or one taught by a teacher. Default: adjoined. */
  readonly mode?: M;
  /** The network that mode `plain` trains. Default: base. */
  readonly which?: W;
  /** The network that teaches in mode `distill`, which needs it. */
  readonly teacher?: SavedNetwork;
  /**
   * α: masked convolutions of the small network keep ⌊filters / α⌋. A list makes as many small
   * networks, 1 to 8: of `[2, 4]` they are `small-2` and `small-4`. Default: 4.
   */
  readonly compression?: C;
  /**
   * Filters that masked convolutions keep, by name, instead of `compression`: the first so many, or
   * those of these indices. Of several small networks: these by their names.
   */
  readonly widths?: Widths | WidthsByName;
}

/** Gives what a small network costs over its base, by the gates of its widths. */
export type CostOf = (searched: SearchedNetwork) => WidthCost;

/** The options of `search()`: one of `budgetMacs`, `budgetParams` and `cost` with `budget`. */
export interface SearchSettings<
  B extends number | readonly number[] = number | readonly number[],
  O extends boolean = boolean,
> extends RunSettings, SearchOnlySettings {
  /**
   * Multiply-accumulates of the small network over those of the base, in (0, 1]. A list makes as many
   * small networks, 1 to 8: of `[0.5, 0.25]` they are `small-0.5` and `small-0.25`.
   */
  readonly budgetMacs?: B;
  /** Parameters of the small network over those of the base, instead. */
  readonly budgetParams?: B;
  /** A cost of one's own, instead: of the whole network 1, else as much less as the small one costs. */
  readonly cost?: CostOf;
  /** The limit of `cost`, over that of the base network, in (0, 1]; or one for each small network. */
  readonly budget?: B;
  /** Stop when the widths are found, and train no networks with them. */
  readonly widthsOnly?: O;
}
