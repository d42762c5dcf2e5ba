import { printable, printableJson } from "../data/printable.ts";
import { isOfSearch } from "../train/resume/state_networks.ts";
import { parseTrainingState, type TrainingState } from "../train/resume/training_state.ts";
import { trainingValues } from "../train/options/train_options.ts";
import type { TrainOptions } from "../train/types.ts";
import { optionsOf, type Training } from "./own_options.ts";
import { type AnySettings, resolved } from "./resolve.ts";

/** The options of a run, and the state that it goes on from, if any. */
export interface Begun {
  readonly resolved: TrainOptions;
  readonly from?: TrainingState;
}

/** Raises a `RangeError` for a state that is of another function than the one that is to go on. */
function demandPhase(training: Training, { phase }: TrainingState): void {
  if (phase === "train" || (training === "search" && isOfSearch({ phase }))) return;
  const found = isOfSearch({ phase }) ? "one of search()" : `one of ${printable(phase)}`;
  throw new RangeError(`Cannot ${training}: wanted a checkpoint of ${training}(), found ${found}`);
}

/**
 * The options that settings mean. Where they go on with a run, its own ones, and what is given of those
 * that its steps do not depend on; raises a `RangeError` for others that differ.
 */
export function begun(training: Training, settings: AnySettings): Begun {
  const { from: bytes } = settings;
  const fresh = resolved(training, settings);
  if (!bytes) return { resolved: fresh };
  const from = parseTrainingState(bytes, "the checkpoint");
  demandPhase(training, from);
  const own: Readonly<Record<string, unknown>> = { ...from.run.options };
  const asked: Readonly<Record<string, unknown>> = trainingValues(settings);
  const values: Readonly<Record<string, unknown>> = { ...fresh };
  const changed: Record<string, unknown> = {};
  for (const { name, course } of optionsOf(training)) {
    const given = asked[name];
    // Networks and weights are in the state.
    if (given === undefined || typeof given === "object" && !Array.isArray(given)) continue;
    if (course === false) changed[name] = given;
    else if (JSON.stringify(values[name]) !== JSON.stringify(own[name])) {
      throw new RangeError(
        `Cannot ${training}: the run that is gone on with has ${name} ` +
          `${printableJson(own[name])}, found ${printableJson(given)}; leave it out`,
      );
    }
  }
  return { resolved: { ...from.run.options, ...changed }, from };
}
