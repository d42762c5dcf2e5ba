import type { WidthsFound } from "../../export/widths_file.ts";
import type { Importance } from "../../nn/compress/importance.ts";
import type { SearchOptions } from "../limited_cost.ts";
import type { TrainResult } from "../train.ts";
import type { ByNetwork, Which } from "../../nn/which.ts";
import type { NetworkSummary, TrainOptions } from "../types.ts";

/** A training of a comparison, with all that there is to keep of it. */
export interface ComparedRun {
  /** The folder that it is kept in, as `alone-0`. */
  readonly folder: string;
  readonly options: TrainOptions;
  readonly result: TrainResult;
  /** The widths, where they were searched. */
  readonly widths?: WidthsFound;
}

/** What is left of a training that has ended. */
export interface EndedRun {
  readonly summary: Readonly<ByNetwork<NetworkSummary>>;
  /** Its networks as `base.safetensors` and `small.safetensors`, as far as it has trained them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The result of a network of a method with one seed. */
export interface Outcome {
  /** The name of the method. */
  readonly method: string;
  /** The network that was measured. */
  readonly which: Which;
  readonly seed: number;
  /** Part of the validation images that are told rightly. */
  readonly top1: number;
  /** Parameters, the classifier's included. */
  readonly params: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Milliseconds for one image in onnxruntime-web, one thread. */
  readonly latency: number;
  /** The network, from the folder of the comparison on: `alone-0/small.safetensors`. */
  readonly file: string;
}

/** All outcomes so far, and what they were had with. */
export interface Comparison {
  readonly model: string;
  readonly dataset: string;
  readonly epochs: number;
  /** The names of the methods that are compared. */
  readonly methods: readonly string[];
  readonly search: SearchOptions;
  /** What filters were pruned by. */
  readonly pruneBy: Importance;
  /** Multiply-accumulates and parameters of the base network. */
  readonly base: { readonly macs: number; readonly params: number };
  readonly adapter: string;
  readonly runtime: string;
  /** Whether accuracies are those on the test images of the set. */
  readonly test: boolean;
  /** Since the start of the comparison. */
  readonly seconds: number;
  readonly outcomes: readonly Outcome[];
}

/** What a comparison that goes on knows of its runs that have ended. */
export interface EarlierRuns {
  /** Outcomes that are known. Those of runs that have not ended do not count. */
  readonly outcomes: readonly Outcome[];
  /** Seconds that they have taken. */
  readonly seconds: number;
  /** Reads what is left of a run; nothing where that is gone, and it has to be trained again. */
  readonly read: (folder: string) => Promise<EndedRun | undefined>;
}
