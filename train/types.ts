import type { Variant } from "../nn/resnet.ts";

/** How a run trains. */
export type Mode = "adjoined" | "plain" | "distill";
/** One of the two networks. */
export type Which = "base" | "small";
/** Learning-rate schedules. */
export type Schedule = "constant" | "step" | "cosine" | "onecycle";
/** Optimisers. */
export type Optimizer = "sgd" | "adamw";
/** Kinds of augmentation of the training images. */
export type Augmentation = "none" | "crop-flip" | "crop" | "resized-crop";
/** Data sets. */
export type DatasetName = "generated" | "cifar10" | "cifar100" | "idx";

/** Everything that determines a training run. */
export interface TrainOptions {
  /** How the run trains. */
  readonly mode: Mode;
  /** The network that is trained in mode `plain`. */
  readonly which: Which;
  /** A name that `model()` knows. */
  readonly model: string;
  /** Form of the model. Default: `xresnet`. */
  readonly variant?: Variant;
  /** Stem of the model; by default the one that family and variant have. */
  readonly stem?: "authors" | "cifar";
  /** Where images come from. */
  readonly dataset: DatasetName;
  /** Folder with the files of the data set; generated images have none. */
  readonly dataDir?: string;
  /** Training images, the first of the set. Default: all, 4000 generated ones. */
  readonly trainSize?: number;
  /** Validation images, likewise. Default: all, 1000 generated ones. */
  readonly valSize?: number;
  /** What is done to training images. */
  readonly augment: Augmentation;
  /**
   * What pixels are normalised by. Default: the training images, or with `init` what its file says,
   * `imagenet` where it says nothing.
   */
  readonly normalization?: "data" | "imagenet";
  /** How often each training image is seen. */
  readonly epochs: number;
  /** Images of a step; of each epoch, a last batch that is not full is left out. */
  readonly batchSize: number;
  /** Learning rate, the highest of its schedule. */
  readonly lr: number;
  /** Optimiser. */
  readonly opt: Optimizer;
  /** Schedule of the learning rate. */
  readonly sched: Schedule;
  /** Epochs over which the learning rate first rises from 0; `onecycle` has none. */
  readonly warmupEpochs: number;
  /** Schedule `step`: factor on the learning rate at 1/3 and at 2/3 of the run. */
  readonly decayRate: number;
  /** Momentum of SGD, beta1 of AdamW; `onecycle` has its own. */
  readonly momentum: number;
  /** Nesterov's momentum, for SGD. */
  readonly nesterov: boolean;
  /** Weight decay; decoupled for AdamW. */
  readonly weightDecay: number;
  /** Label smoothing, in [0, 1). */
  readonly smoothing: number;
  /** Alpha: masked convolutions keep `floor(filters / alpha)`. */
  readonly compression: number;
  /** Filters that masked convolutions keep, by name, instead of `compression`. */
  readonly widths?: Readonly<Record<string, number>>;
  /** Whether layers before the first masked one run once, or for each network. */
  readonly trunk: "shared" | "separate";
  /** The first stage that is masked. */
  readonly maskFrom: number;
  /** The part of each masked kernel's taps that is zeroed besides, in [0, 1). */
  readonly maskingFactor: number;
  /** Whether the KL term gives no gradient to the base network. */
  readonly detach: boolean;
  /** Mode `distill`: the run folder or safetensors file of the teacher. */
  readonly teacher?: string;
  /** The run folder or safetensors file with the weights to start from. Default: drawn. */
  readonly init?: string;
  /** Of weights, order, augmentation, masks and generated images. */
  readonly seed: number;
  /** The run folder. */
  readonly output: string;
}

/** Where a search of widths stands. */
export interface GatesState {
  /** Cost that choices drawn from the gates have in the mean, over the base network's. */
  readonly expected: number;
  /** What it is to be. */
  readonly budget: number;
  /** Mean entropy of a group's choice: 1 where all candidates are alike, 0 when it has been made. */
  readonly entropy: number;
  /** Weight of the cost. */
  readonly gamma: number;
  /** Temperature of the softmax. */
  readonly temperature: number;
}

/** Accuracy and loss over a data set. */
export interface Score {
  /** Part of the images whose class has the largest logit, in [0, 1]. */
  readonly top1: number;
  /** Part of the images whose class has one of the five largest logits. */
  readonly top5: number;
  /** Mean cross entropy. */
  readonly loss: number;
}

/** Where a run is within an epoch. */
export interface Progress {
  /** Counted from 1. */
  readonly epoch: number;
  /** Epochs of the run. */
  readonly epochs: number;
  /** Steps done in this epoch. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Since the start of the epoch. */
  readonly imagesPerSecond: number;
  /** Mean loss since the start of the epoch. */
  readonly loss: number;
  /** Mean cross entropy since the start of the epoch. */
  readonly crossEntropy: number;
  /** Mean divergence since the start of the epoch. */
  readonly kl: number;
  /** Weight of the divergence in this epoch; 1 where it is not scheduled. */
  readonly lambda: number;
  /** Learning rate of the last step. */
  readonly lr: number;
  /** Accuracy on the training batches of this epoch so far. */
  readonly training: Partial<Record<Which, number>>;
  /** Seconds that the rest of the run will take, at the pace so far. */
  readonly etaSeconds: number;
  /** Where a search of widths stands. */
  readonly search?: GatesState;
}

/** What an epoch came to. One line of metrics.jsonl. */
export interface EpochMetrics extends Omit<Progress, "step" | "steps"> {
  /** Of training and validation. */
  readonly seconds: number;
  /** On the validation set, after the epoch. */
  readonly validation: Partial<Record<Which, Score>>;
}

/** Accuracy and cost of one network at the end. */
export interface NetworkSummary {
  /** Part of the validation set whose class has the largest logit. */
  readonly top1: number;
  /** Part of the validation set whose class has one of the five largest logits. */
  readonly top5: number;
  /** Mean cross entropy over the validation set. */
  readonly loss: number;
  /** Parameters, the classifier's included. */
  readonly params: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
}

/** The comparison of the extracted network with the masked one. */
export interface Verification {
  /** Largest difference of a logit over the validation set. */
  readonly maxDifference: number;
  /** Largest difference over the largest logit of its image, or over 1 where that is less. */
  readonly maxError: number;
  /** Part of the validation set with the same first class, or classes not to be told apart. */
  readonly top1Agreement: number;
  /** How many images were compared. */
  readonly images: number;
}

/** What a run came to. Saved as summary.json. */
export interface Summary {
  /** How the run trained. */
  readonly mode: Mode;
  /** The base network. */
  readonly model: string;
  /** Where images came from. */
  readonly dataset: DatasetName;
  /** Of everything that was drawn. */
  readonly seed: number;
  /** The GPU's own words for itself. */
  readonly adapter: string;
  /** How often each training image was seen. */
  readonly epochs: number;
  /** Of the whole run: a search of widths, compilation and verification included. */
  readonly seconds: number;
  /** The base network, where it was trained. */
  readonly base?: NetworkSummary;
  /** The small network, where it was trained. */
  readonly small?: NetworkSummary;
  /** What the proof of mode `adjoined` found. */
  readonly verify?: Verification;
}

/** What a run tells while it goes on. */
export interface Reporter {
  /** Before the first step; of the search and of the training after it, one each. */
  start(info: {
    readonly adapter: string;
    readonly options: TrainOptions;
    /** What is trained, in words. */
    readonly what: string;
    readonly trainImages: number;
    readonly validationImages: number;
    readonly classes: number;
    readonly costs: Partial<Record<Which, { params: number; macs: number }>>;
  }): void;
  /** Every few steps. */
  progress(progress: Progress): void;
  epoch(metrics: EpochMetrics): void;
  /** A remark, one sentence. */
  note(text: string): void;
}
