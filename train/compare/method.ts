import type { Checkpoint } from "../../export/checkpoint.ts";
import type { WidthsFound } from "../../export/widths_file.ts";
import type { Gpu } from "../../kernels/gpu.ts";
import type { Widths } from "../../nn/compress/adjoin.ts";
import type { Importance } from "../../nn/compress/importance.ts";
import type { State } from "../../nn/parameters.ts";
import type { Estimate, Workload } from "../estimate.ts";
import type { Job, RunInputs } from "../job.ts";
import type { Course } from "../resume/course.ts";
import type { TrainingState } from "../resume/training_state.ts";
import type { SearchOptions } from "../limited_cost.ts";
import type { ByNetwork, Which } from "../../nn/which.ts";
import type { EpochMetrics, Reporter, TrainOptions } from "../types.ts";

/** What all methods of a seed are tried with. */
export interface Ground {
  /** Images, and the base network where a file has it. */
  readonly inputs: RunInputs;
  /** Options of the seed, without a small network. */
  readonly options: TrainOptions;
  /** The budget, and how widths are searched. */
  readonly find: SearchOptions;
  /** What filters are pruned by. */
  readonly pruneBy: Importance;
  /** Widths of the budget that are the same share of all filters. */
  readonly widths: Widths;
}

/** Work that begins: what its progress is called, and how it is kept. */
export interface Begun {
  /** What is done, in words. */
  readonly what: string;
  readonly estimate: Estimate;
  readonly course: Course;
  /** Its name in training states. */
  readonly phase: string;
  /** Whether it was announced before. */
  readonly again: boolean;
}

/** A method's turn with a seed. */
export interface Turn extends Ground {
  readonly gpu: Gpu;
  readonly reporter: Reporter;
  /** The state that its training goes on from. Default: it begins. */
  readonly from?: TrainingState;
  /** The network that another method has trained with this seed. */
  readonly trained: (method: Method, which: Which) => Promise<Checkpoint>;
  /** Begins what comes before the training. */
  readonly begin: () => Begun;
}

/** What a method trains. */
export interface Training {
  readonly job: Job;
  /** Weights to start from. Default: those of the job. */
  readonly state?: State;
  /** The widths, where they were searched. */
  readonly widths?: WidthsFound;
  /** The epochs before it. */
  readonly before?: readonly EpochMetrics[];
}

/** A way to a small network, or what such a network is compared with: one file each. */
export interface Method {
  /** As `--methods` has it, and the beginning of its folders: `alone` of `alone-0`. */
  readonly name: string;
  /** The lines of tables and pictures, by network that it gives. */
  readonly rows: Readonly<ByNetwork<string>>;
  /** Methods whose networks it starts from; they are trained where they are not asked for, too. */
  readonly needs?: readonly Method[];
  /** Options that have an effect on it, and not on all methods. */
  readonly takes?: readonly string[];
  /** What it does before its training, and how much work that is. */
  readonly before?: {
    /** The beginning of its name in training states. */
    readonly name: string;
    readonly what: string;
    readonly work: (ground: Ground) => readonly Workload[];
  };
  /** How much work its training is. Raises a `UsageError` where options do not allow it. */
  readonly work: (ground: Ground) => readonly Workload[];
  readonly training: (turn: Turn) => Training | Promise<Training>;
}
