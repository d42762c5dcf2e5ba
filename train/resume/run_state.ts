import type { Normalization } from "../../data/dataset.ts";
import type { SavedChoices } from "../../kernels/conv/choices.ts";
import type { EpochMetrics, TrainOptions } from "../types.ts";

/** Where a run is. */
export interface Position {
  /** Epochs that have been trained and validated. */
  readonly epoch: number;
  /** Steps of the next epoch that have been done; all of them where only its validation is left. */
  readonly step: number;
}

/** The run that a state is of. */
export interface RunOfState {
  /** The GPU's own words for itself. */
  readonly adapter: string;
  /** The tiles of its convolutions: other ones would round otherwise. */
  readonly tiles?: SavedChoices;
  /** The options of the training, widths that were found included. */
  readonly options: TrainOptions;
  /** The base network as JSON, where it was read from a file and no option describes it. */
  readonly network?: string;
  /** All options of the command, as config.json has them. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of a search of given weights: how much each class of channels matters. */
  readonly ranks?: readonly number[];
  /** Of a comparison: the folders of its runs that have ended. */
  readonly ended?: readonly string[];
  /** Names of the classes, in the order of the logits. */
  readonly classes: readonly string[];
  /** Height, width and channels of the images. */
  readonly image: readonly [number, number, number];
  /** Mean and standard deviation by which pixels are normalised. */
  readonly normalization: Normalization;
}

/** Values of a training state: weights, statistics, moments, averages, gates, counters. */
export type StateTensors = ReadonlyMap<string, Float32Array | Uint32Array>;

/** Everything that a run goes on from. */
export interface TrainingState {
  /** What is being trained: `train`, `search`, or a run of a comparison, as `adjoined-0`. */
  readonly phase: string;
  readonly position: Position;
  /** Named `parameters/conv1.weight`, `velocity/conv1.weight` and so on, row-major, unpadded. */
  readonly tensors: StateTensors;
  /** Numbers that are kept outside the GPU, such as the steps that moments are corrected for. */
  readonly numbers: Readonly<Record<string, number>>;
  /** All epochs so far, those of a search before those of the training after it. */
  readonly history: readonly EpochMetrics[];
  /** Seconds that the run has taken so far. */
  readonly seconds: number;
  readonly run: RunOfState;
}
