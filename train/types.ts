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
  readonly mode: Mode;
  /** The network that is trained in mode `plain`. */
  readonly which: Which;
  readonly model: string;
  /** Stem of the model; by default the one the family has. */
  readonly stem?: "authors" | "cifar";
  readonly dataset: DatasetName;
  readonly dataDir?: string;
  /** Images of the training and of the validation set; all by default. */
  readonly trainSize?: number;
  readonly valSize?: number;
  readonly augment: Augmentation;
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly opt: Optimizer;
  readonly sched: Schedule;
  readonly warmupEpochs: number;
  /** Step schedule: factor, and fractions of the run after which it applies. */
  readonly decayRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly smoothing: number;
  readonly compression: number;
  readonly trunk: "shared" | "separate";
  readonly maskFrom: number;
  readonly maskingFactor: number;
  /** Whether the KL term gives no gradient to the base network. */
  readonly detach: boolean;
  /** Mode `distill`: the run folder or safetensors file of the teacher. */
  readonly teacher?: string;
  readonly seed: number;
  readonly output: string;
}

/** Accuracy and loss over a data set. */
export interface Score {
  /** Fractions in [0, 1]. */
  readonly top1: number;
  readonly top5: number;
  /** Mean cross entropy. */
  readonly loss: number;
}

/** Where a run is within an epoch. */
export interface Progress {
  /** Counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  readonly imagesPerSecond: number;
  /** Means since the start of the epoch. */
  readonly loss: number;
  readonly crossEntropy: number;
  readonly kl: number;
  readonly lambda: number;
  readonly lr: number;
  /** Accuracy on the training batches of this epoch so far. */
  readonly training: Partial<Record<Which, number>>;
  readonly etaSeconds: number;
}

/** What an epoch came to. One line of metrics.jsonl. */
export interface EpochMetrics extends Omit<Progress, "step" | "steps"> {
  readonly seconds: number;
  readonly validation: Partial<Record<Which, Score>>;
}

/** Accuracy and cost of one network at the end. */
export interface NetworkSummary {
  /** Fraction of the validation set. */
  readonly top1: number;
  readonly top5: number;
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
  /** Part of the validation set with the same first class. */
  readonly top1Agreement: number;
  readonly images: number;
}

/** What a run came to. Saved as summary.json. */
export interface Summary {
  readonly mode: Mode;
  readonly model: string;
  readonly dataset: DatasetName;
  readonly seed: number;
  readonly adapter: string;
  readonly epochs: number;
  readonly seconds: number;
  readonly base?: NetworkSummary;
  readonly small?: NetworkSummary;
  readonly verify?: Verification;
}

/** What a run tells while it goes on. */
export interface Reporter {
  /** Once, before the first step. */
  start(info: {
    readonly adapter: string;
    readonly options: TrainOptions;
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
