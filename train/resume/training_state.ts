import type { Normalization } from "../../data/dataset.ts";
import { DataError } from "../../data/error.ts";
import { parseJson, wrongKey } from "../../data/json.ts";
import { printable } from "../../data/printable.ts";
import type { SavedChoices } from "../../kernels/conv/choices.ts";
import { parseSafetensors, safetensorsPieces } from "../../data/safetensors.ts";
import { unfitName } from "../../data/unfit_name.ts";
import { TRAINING_STATE } from "../../export/metadata.ts";
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
  /** All options of the command, as config.json has them. */
  readonly config?: Readonly<Record<string, unknown>>;
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

/** The version of the layout; another one is refused. */
const VERSION = "1";

/** Whether a file's metadata are those of a training state. */
export function isTrainingState({ format }: Readonly<Record<string, string>>): boolean {
  return format === TRAINING_STATE;
}

/** A training state as a safetensors file, in pieces that are to be written one behind the other. */
export function encodeTrainingState({ tensors, ...rest }: TrainingState): Uint8Array[] {
  return safetensorsPieces(
    [...tensors].map(([name, data]) => [name, { shape: [data.length], data }] as const),
    { format: TRAINING_STATE, version: VERSION, state: JSON.stringify(rest) },
  );
}

type Rest = Omit<TrainingState, "tensors">;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isListOf(value: unknown, fits: (x: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(fits);
}

function isRunOfState(run: unknown): run is RunOfState {
  if (!isRecord(run) || !isRecord(run.options) || !isRecord(run.normalization)) return false;
  const { adapter, tiles, classes, image, normalization: { mean, std }, config } = run;
  return typeof adapter === "string" && (config === undefined || isRecord(config)) &&
    (tiles === undefined || isRecord(tiles)) &&
    isListOf(classes, (name) => typeof name === "string") &&
    isListOf(image, (size) => isCount(size) && size > 0) && (image as number[]).length === 3 &&
    isListOf(mean, Number.isFinite) && isListOf(std, (x) => Number.isFinite(x) && Number(x) > 0);
}

/** The field of a state that is not what it has to be. */
function wrongField(rest: Readonly<Record<string, unknown>>): keyof Rest | undefined {
  const { phase, position, numbers, history, seconds, run } = rest;
  if (typeof phase !== "string") return "phase";
  if (!isRecord(position) || !isCount(position.epoch) || !isCount(position.step)) return "position";
  if (!isRecord(numbers) || !Object.values(numbers).every(Number.isFinite)) return "numbers";
  if (!isListOf(history, (row) => isRecord(row) && isCount(row.epoch))) return "history";
  if (typeof seconds !== "number") return "seconds";
  return isRunOfState(run) ? undefined : "run";
}

/**
 * The inverse of {@link encodeTrainingState}. Raises a {@link DataError} that names `file` for
 * anything else.
 */
export function parseTrainingState(bytes: Uint8Array, file: string): TrainingState {
  const { tensors, metadata } = parseSafetensors(bytes, file);
  const shown = printable(file, 300);
  if (!isTrainingState(metadata)) {
    throw new DataError(
      `Cannot go on from ${shown}: wanted a checkpoint of a run, found ` +
        (Object.hasOwn(metadata, "network") ? "a trained network" : "another safetensors file"),
    );
  }
  if (metadata.version !== VERSION) {
    throw new DataError(
      `Cannot go on from ${shown}: wanted version ${VERSION} of a checkpoint, found ` +
        `${printable(metadata.version ?? "none")}; go on with the release that wrote it`,
    );
  }
  let rest: unknown;
  try {
    rest = parseJson(metadata.state);
  } catch (error) {
    const key = wrongKey(error);
    if (key) {
      throw new DataError(
        `Cannot go on from ${shown}: the state in its metadata has ${key}; take an earlier one`,
      );
    }
    // Not an object, either.
  }
  const wrong = isRecord(rest) ? wrongField(rest) : "state";
  if (wrong) {
    throw new DataError(
      `Cannot go on from ${shown}: the ${wrong} in its metadata is not that of a checkpoint; take ` +
        `an earlier one`,
    );
  }
  for (const label of (rest as Rest).run.classes) {
    const why = unfitName(label);
    if (why) {
      throw new DataError(
        `Cannot go on from ${shown}: wanted names as classes in its metadata, found ` +
          `${printable(label)}, ${why}`,
      );
    }
  }
  const values = new Map<string, Float32Array | Uint32Array>();
  for (const [name, { data, dtype }] of tensors) {
    if (!(data instanceof Float32Array || data instanceof Uint32Array)) {
      throw new DataError(
        `Cannot go on from ${shown}: wanted F32 and U32, found ${dtype} in ${printable(name)}`,
      );
    }
    values.set(name, data);
  }
  return { ...(rest as Rest), tensors: values };
}
