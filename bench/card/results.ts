import type { Compared, Row } from "../comparison.ts";

/** Accuracies of trainings with one precision, on one implementation. */
export interface Accuracy {
  /** As columns are called. */
  readonly name: string;
  /** Top-1 on validation images by network, a value for each seed. */
  readonly top1: Readonly<Record<string, readonly number[]>>;
  /** Why there are not as many as there are seeds. */
  readonly note?: string;
}

/** A step that was looked into. */
export interface Profiled {
  readonly name: string;
  /** The file with its table. */
  readonly file: string;
  /** The part of the step's time that is attributed to kernels. */
  readonly attributed?: number;
  readonly note?: string;
}

/** All that was measured so far. */
export interface Results {
  /** The machine in words, a line each. */
  readonly machine: readonly string[];
  readonly peers: readonly Compared[];
  readonly rows: readonly Row[];
  readonly accuracies: readonly Accuracy[];
  readonly profiles: readonly Profiled[];
  /** Why parts came to an end before they were done. */
  readonly notes: readonly string[];
}

/** Before anything is measured. */
export const NOTHING: Results = {
  machine: [],
  peers: [],
  rows: [],
  accuracies: [],
  profiles: [],
  notes: [],
};
