import { wrongValue } from "../../nn/wrong_value.ts";
import { isRecord } from "../../data/json.ts";
import { unfitName } from "../../data/unfit_name.ts";
import { printable } from "../../data/printable.ts";
import type { EpochMetrics } from "../types.ts";
import type { RunOfState, StateTensors, TrainingState } from "./run_state.ts";

/** A training state without its tensors. */
export type Described = Omit<TrainingState, "tensors">;

type Fields = Readonly<Record<string, unknown>>;

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isListOf(value: unknown, fits: (x: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.every(fits);
}

function areAll(value: unknown, fits: (x: unknown) => boolean): value is Fields {
  return isRecord(value) && Object.values(value).every(fits);
}

/** Fields of fields that lie in each other at most. */
const DEEPEST = 2;

/** Whether all that there is are numbers; what is no number, as a time that is not known, is null. */
function areNumbers(value: unknown, depth = DEEPEST): boolean {
  if (typeof value === "number" || value === null) return true;
  return depth > 0 && areAll(value, (part) => areNumbers(part, depth - 1));
}

function isScore(score: unknown): boolean {
  return isRecord(score) && Number.isFinite(score.top1);
}

/** Whether something is a row of metrics.jsonl. */
export function isMetricsRow(row: unknown): row is EpochMetrics {
  return isRecord(row) && isCount(row.epoch) && areNumbers(row, DEEPEST + 1) &&
    areAll(row.validation, isScore);
}

function isImage(image: unknown): image is readonly [number, number, number] {
  return isListOf(image, (size) => isCount(size) && size > 0) && image.length === 3;
}

function isRun(run: unknown): run is RunOfState {
  if (!isRecord(run) || !isRecord(run.options) || !isRecord(run.normalization)) return false;
  const { adapter, tiles, classes, image, normalization: { mean, std } } = run;
  const { config, network, ranks, ended } = run;
  if (typeof adapter !== "string" || (config !== undefined && !isRecord(config))) return false;
  const isText = (value: unknown): boolean => typeof value === "string";
  if (network !== undefined && !isText(network)) return false;
  if (ranks !== undefined && !isListOf(ranks, isCount)) return false;
  if (ended !== undefined && !isListOf(ended, isText)) return false;
  if (tiles !== undefined && !areAll(tiles, (own) => areAll(own, isText))) return false;
  if (!isListOf(classes, isText) || !isImage(image)) return false;
  const channelwise = (values: unknown, fits: (x: number) => boolean): boolean =>
    isListOf(values, (x) => Number.isFinite(x) && fits(Number(x))) && values.length === image[2];
  return channelwise(mean, () => true) && channelwise(std, (x) => x > 0);
}

/** The first field of a state's description that is not what it has to be. */
function wrongField(state: Fields): keyof Described | undefined {
  const { phase, position, numbers, history, seconds, run } = state;
  if (typeof phase !== "string") return "phase";
  if (!isRecord(position) || !isCount(position.epoch) || !isCount(position.step)) return "position";
  if (!areAll(numbers, Number.isFinite)) return "numbers";
  if (!isListOf(history, isMetricsRow)) return "history";
  if (typeof seconds !== "number") return "seconds";
  return isRun(run) ? undefined : "run";
}

/** Raises an error that says what is wrong. */
export type Refuse = (problem: string) => never;

/** The description of a state, checked. */
export function checkDescribed(found: unknown, refuse: Refuse): Described {
  const wrong = isRecord(found) ? wrongField(found) : "state";
  if (wrong) {
    refuse(`the ${wrong} in its metadata is not that of a checkpoint; take an earlier one`);
  }
  // Each field is checked above.
  const described = found as Described;
  for (const name of described.run.classes) {
    const why = unfitName(name);
    if (why) {
      refuse(`wanted names as classes in its metadata, found ${printable(name)}, ${why}`);
    }
  }
  return described;
}

/** Raises an error for values that a run would not have saved: no numbers, variances below 0. */
export function checkValues(tensors: StateTensors, refuse: Refuse): void {
  for (const [name, values] of tensors) {
    if (!(values instanceof Float32Array)) continue;
    const wrong = wrongValue(name, values);
    if (!wrong) continue;
    refuse(
      `wanted ${wrong.wanted}, found ${wrong.found} in ${printable(name)}; take an earlier one`,
    );
  }
}
