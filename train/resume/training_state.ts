import { DataError } from "../../data/error.ts";
import { parseJson, wrongKey } from "../../data/json.ts";
import { printable } from "../../data/printable.ts";
import { parseSafetensors, safetensorsPieces } from "../../data/safetensors.ts";
import { TRAINING_STATE } from "../../export/metadata.ts";
import type { TrainingState } from "./run_state.ts";
import { checkDescribed, checkValues, type Refuse } from "./state_check.ts";

export type { Position, RunOfState, StateTensors, TrainingState } from "./run_state.ts";

/** The version of the layout; another one is refused. */
const VERSION = "1";

/** The digest of a training state before it is written to a file. */
export const UNSEALED: string = "0".repeat(64);

/** Whether a file's metadata are those of a training state. */
export function isTrainingState({ format }: Readonly<Record<string, string>>): boolean {
  return format === TRAINING_STATE;
}

/** A training state as a safetensors file, in pieces that are to be written one behind the other. */
export function encodeTrainingState({ tensors, ...rest }: TrainingState): Uint8Array[] {
  return safetensorsPieces(
    [...tensors].map(([name, data]) => [name, { shape: [data.length], data }] as const),
    { format: TRAINING_STATE, version: VERSION, sha256: UNSEALED, state: JSON.stringify(rest) },
  );
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
  const refuse: Refuse = (problem) => {
    throw new DataError(`Cannot go on from ${shown}: ${problem}`);
  };
  let found: unknown;
  try {
    found = parseJson(metadata.state);
  } catch (error) {
    const key = wrongKey(error);
    if (key) refuse(`the state in its metadata has ${key}; take an earlier one`);
    // Not an object, either.
  }
  const described = checkDescribed(found, refuse);
  const values = new Map<string, Float32Array | Uint32Array>();
  for (const [name, { data, dtype }] of tensors) {
    const fits = data instanceof Float32Array && dtype === "F32" || data instanceof Uint32Array;
    if (!fits) return refuse(`wanted F32 and U32, found ${dtype} in ${printable(name)}`);
    values.set(name, data);
  }
  checkValues(values, refuse);
  return { ...described, tensors: values };
}
