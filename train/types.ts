import type { DatasetName } from "../data/recipes.ts";
import type { Count } from "../nn/count.ts";
import type { ByNetwork } from "../nn/which.ts";
import type { AugmentedImage } from "./augmented_batch.ts";
import type { TrainOptions } from "./options/train_options.ts";

export type { TrainOptions } from "./options/train_options.ts";
export type { Which } from "../nn/which.ts";

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
  /** Share of the time since the start of the epoch in which the next batch was waited for. */
  readonly waiting: number;
  /** Accuracy on the training batches of this epoch so far. */
  readonly training: ByNetwork<number>;
  /**
   * Seconds that the rest of the run will take at the pace so far, validations and verification
   * included; NaN where there is no pace yet.
   */
  readonly etaSeconds: number;
  /** Where a search of widths stands. */
  readonly search?: GatesState;
}

/** Where work stands that is no training, as a validation or a verification. */
export interface Work {
  /** What is done, in a word or two. */
  readonly what: string;
  /** How much of it, 0 in the first report of it. */
  readonly done: number;
  /** How much there is. */
  readonly total: number;
  /** What is counted, as "images". */
  readonly unit: string;
  /** Of work within an epoch: which one, counted from 1. */
  readonly epoch?: number;
  /** Epochs of the run. */
  readonly epochs?: number;
  /**
   * Seconds that the rest of the run will take, NaN where there is no pace yet. Where it is left
   * out, only this work is left, and goes on as it did since its first report.
   */
  readonly etaSeconds?: number;
}

/** What an epoch came to. One line of metrics.jsonl. */
export interface EpochMetrics extends Omit<Progress, "step" | "steps"> {
  /** Of training and validation. */
  readonly seconds: number;
  /** On the validation set, after the epoch. */
  readonly validation: ByNetwork<Score>;
}

/** Accuracy on the validation set and cost of one network at the end. */
export interface NetworkSummary extends Score, Count {
  /** Of a small network that was trained with its base: what the proof found. */
  readonly verify?: Verification;
  /** Milliseconds for one image in onnxruntime-web; of runs that searched for a budget of it. */
  readonly latency?: number;
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
export interface Summary extends Readonly<ByNetwork<NetworkSummary>> {
  /** How the run trained. */
  readonly mode: "adjoined" | "plain" | "distill";
  /** The base network. */
  readonly model: string;
  /** Where images came from. */
  readonly dataset: DatasetName;
  /** Of everything that was drawn. */
  readonly seed: number;
  /** The GPU's own words for itself. */
  readonly adapter: string;
  /** How often each training image was seen, fine-tuning included. */
  readonly epochs: number;
  /** Epochs of the fine-tuning of small networks, whose proofs are from before it. */
  readonly finetuneEpochs?: number;
  /** Of the whole run: a search of widths, compilation and verification included. */
  readonly seconds: number;
}

/** What a run is about to do. */
export interface RunStart {
  /** The GPU's own words for itself. */
  readonly adapter: string;
  /** How values of a step are kept, in words, where not in float32. */
  readonly precision?: string;
  readonly options: TrainOptions;
  /** The stem of the model, where it has a choice, also where the options leave it to the model. */
  readonly stem?: string;
  /** What is trained, in words. */
  readonly what: string;
  readonly trainImages: number;
  readonly validationImages: number;
  /** Whether validation images are the test images of their set. */
  readonly test: boolean;
  /** Of an image. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classes: number;
  /** Parameters, the classifier's included; of a search for the base network only. */
  readonly costs: ByNetwork<{ params: number; macs: number }>;
}

/** What a run tells while it goes on. */
export interface Reporter {
  /** Before the first step; of the search and of the training after it, one each. */
  start(info: RunStart): void;
  /** Before the first step, the first batch; it is computed only where this is wanted. */
  batch?(images: readonly AugmentedImage[]): void;
  /** Every few steps. */
  progress(progress: Progress): void;
  /** At the start of work besides training, about once a second while it lasts, and at its end. */
  work(work: Work): void;
  epoch(metrics: EpochMetrics): void;
  /** All epochs that count, where a run has gone back: those told of before are no longer. */
  history?(epochs: readonly EpochMetrics[]): void;
  /** A remark, one sentence. */
  note(text: string): void;
}
