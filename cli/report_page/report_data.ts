import type { Comparison } from "../../train/compare/comparison.ts";
import type { EpochMetrics, Score, Verification } from "../../train/types.ts";
import type { ParetoPoint } from "../report/pareto_points.ts";
import type { KeptReport } from "./kept_report.ts";

/** How far a run has come. */
export type Status = "running" | "stopped" | "finished";

/** A network of a run: what it can do, and what it takes. */
export interface ReportNetwork extends Partial<Score> {
  /** `base`, `small`, `small-2` and so on. */
  readonly name: string;
  /** Parameters, the classifier's included. */
  readonly params?: number;
  /** Multiply-accumulates for one image. */
  readonly macs?: number;
  /** Of its file. */
  readonly bytes?: number;
  /** Milliseconds for one image, where they were measured. */
  readonly latency?: number;
  /** The proof that it is the one that was trained. */
  readonly verify?: Verification;
}

/** Filters of one convolution or outputs of one linear layer, in each network. */
export interface LayerWidth {
  readonly layer: string;
  /** By network; one that does not have the layer is missing. */
  readonly widths: Readonly<Record<string, number>>;
  /** Parameters, by network. */
  readonly params: Readonly<Record<string, number>>;
}

/** Another run, beside the one that is reported. */
export interface OtherRun {
  /** The name of its folder. */
  readonly name: string;
  readonly networks: readonly ParetoPoint[];
  readonly history: readonly EpochMetrics[];
}

/** A file of a run. */
export interface ReportFile {
  /** From the folder of the run on. */
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256?: string;
}

/** A picture that a command drew earlier. */
export interface EarlierPicture {
  readonly name: string;
  /** A `data:` URI. */
  readonly source: string;
}

/** What reports of runs and of comparisons have in common. */
interface AnyReport {
  /** The name of the folder. */
  readonly name: string;
  /** The folder with the files: one below that of the run while this is to replace another. */
  readonly folder: string;
  readonly status: Status;
  /** When this was read. */
  readonly read: Date;
  /** The version of this program. */
  readonly version: string;
  /** All options, of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The command line that does it again, a word each. */
  readonly command: readonly string[];
  readonly files: readonly ReportFile[];
  readonly points: readonly ParetoPoint[];
  readonly others: readonly OtherRun[];
}

/** All that the report of a run shows. */
export interface RunReport extends AnyReport {
  readonly kind: "run";
  /** In words: `resnet20, adjoined, cifar10`. */
  readonly title: string;
  readonly networks: readonly ReportNetwork[];
  /** Epochs of the search, then those of the training. */
  readonly history: readonly EpochMetrics[];
  /** Of summary.json; nothing before the end of the run. */
  readonly summary?: {
    readonly adapter?: string;
    readonly seconds?: number;
    readonly epochs?: number;
    readonly finetuneEpochs?: number;
  };
  readonly layers: readonly LayerWidth[];
  /** What the widths that a search found cost over the base network's, by small network. */
  readonly found: Readonly<Record<string, number>>;
  readonly kept?: KeptReport;
  readonly earlier: readonly EarlierPicture[];
}

/** A run of a comparison that has a folder of its own. */
export interface ComparedFolder {
  readonly name: string;
  /** Whether it has a report. */
  readonly report: boolean;
  /** Its epochs, as far as they were kept. */
  readonly history: readonly EpochMetrics[];
}

/** What a comparison has come to, as its report shows it. */
export interface ReportedComparison extends Omit<Comparison, "search" | "pruneBy" | "base"> {
  /** What is limited, and how far. */
  readonly budgeted?: "macs" | "params";
  readonly budget?: number;
}

/** All that the report of a comparison shows. */
export interface ComparisonReport extends AnyReport {
  readonly kind: "comparison";
  readonly comparison: ReportedComparison;
  readonly runs: readonly ComparedFolder[];
}

/** All that a report shows. */
export type ReportData = RunReport | ComparisonReport;
