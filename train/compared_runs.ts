import type { WidthsFound } from "../export/widths_file.ts";
import type { SearchOptions } from "./search.ts";
import type { TrainResult } from "./train.ts";
import type { Summary, TrainOptions, Which } from "./types.ts";

/** The methods that are compared, in the order of tables and pictures. */
export const METHODS = [
  "base alone",
  "base, adjoined",
  "base, adjoined, searched widths",
  "small alone",
  "small, distilled from the base alone",
  "small, pruned by magnitude and fine-tuned",
  "small, adjoined",
  "small, adjoined, searched widths",
] as const;

/** One of {@link METHODS}. */
export type Method = typeof METHODS[number];

/** A training of each seed, with the methods that its networks are of. */
interface RunOfSeed {
  /** Its folder is named so, then "-" and the seed. */
  readonly folder: string;
  /** What is done, in words. */
  readonly what: string;
  readonly methods: Partial<Record<Which, Method>>;
}

/** The trainings of a seed, in their order: two methods of some are the two networks of one pair. */
export const RUNS = [
  { folder: "base-alone", what: "base alone", methods: { base: "base alone" } },
  { folder: "small-alone", what: "small alone", methods: { small: "small alone" } },
  {
    folder: "small-distilled",
    what: "small, distilled",
    methods: { small: "small, distilled from the base alone" },
  },
  {
    folder: "small-pruned",
    what: "small, pruned",
    methods: { small: "small, pruned by magnitude and fine-tuned" },
  },
  {
    folder: "adjoined",
    what: "adjoined",
    methods: { base: "base, adjoined", small: "small, adjoined" },
  },
  { folder: "search", what: "search of widths", methods: {} },
  {
    folder: "adjoined-searched",
    what: "adjoined, searched widths",
    methods: {
      base: "base, adjoined, searched widths",
      small: "small, adjoined, searched widths",
    },
  },
] as const satisfies readonly RunOfSeed[];

/** The name of a training of each seed. */
export type RunName = typeof RUNS[number]["folder"];

/** Runs for each seed; one of them is a search, and gives no networks. */
export const RUNS_OF_SEED: number = RUNS.length;

/** Begins of the names of the folders that a comparison keeps networks in, before "-" and the seed. */
export const NETWORK_FOLDERS: readonly string[] = RUNS.map(({ folder }) => folder)
  .filter((folder) => folder !== "search");

/** The folder of a run, which is also the name of its phase in training states. */
export function folderOf(name: RunName, seed: number): string {
  return `${name}-${seed}`;
}

/** The methods of a run, with the network that each of them is. */
export function methodsOf(name: RunName): (readonly [Which, Method])[] {
  const methods: RunOfSeed["methods"] = RUNS.find(({ folder }) => folder === name)?.methods ?? {};
  return (["base", "small"] as const).flatMap((which) => {
    const method = methods[which];
    return method ? [[which, method] as const] : [];
  });
}

/** The number of a run among all of a comparison, from 0; nothing for what is none of them. */
export function placeOf(
  phase: string,
  { seed, seeds }: { readonly seed: number; readonly seeds: number },
): number | undefined {
  const [, name, own] = phase.match(/^(.+)-(\d+)$/) ?? [];
  const i = RUNS.findIndex(({ folder }) => folder === name);
  const nth = Number(own) - seed;
  return i >= 0 && nth >= 0 && nth < seeds ? nth * RUNS.length + i : undefined;
}

/** A training of a comparison, with all that there is to keep of it. */
export interface ComparedRun {
  /** The folder that it is kept in, as `small-alone-0`. */
  readonly folder: string;
  readonly options: TrainOptions;
  readonly result: TrainResult;
  /** The widths, where they were searched. */
  readonly widths?: WidthsFound;
}

/** What is left of a training that has ended. */
export interface EndedRun {
  readonly summary: Pick<Summary, Which>;
  /** Its networks as `base.safetensors` and `small.safetensors`, as far as it has trained them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The result of one method with one seed. */
export interface Outcome {
  readonly method: Method;
  readonly seed: number;
  /** Part of the validation images that are told rightly. */
  readonly top1: number;
  /** Parameters, the classifier's included. */
  readonly params: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Milliseconds for one image in onnxruntime-web, one thread. */
  readonly latency: number;
  /** The network, from the folder of the comparison on: `small-alone-0/small.safetensors`. */
  readonly file: string;
}

/** All outcomes so far, and what they were had with. */
export interface Comparison {
  readonly model: string;
  readonly dataset: string;
  readonly epochs: number;
  readonly search: SearchOptions;
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
