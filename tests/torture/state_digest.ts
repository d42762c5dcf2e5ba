// States of runs as digests, so that two runs can be told to be the same.
import { createHash } from "node:crypto";
import { encodeTrainingState, type TrainingState } from "../../train/resume/training_state.ts";

/** The SHA-256 of bytes in pieces. */
export function sha256(pieces: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

/** The SHA-256 of all tensors and metadata of a state, but for times and the folder of the run. */
export function digestOfState({ run, ...state }: TrainingState): string {
  const history = state.history.map((row) => ({
    ...row,
    ...{ seconds: 0, imagesPerSecond: 0, waiting: 0, etaSeconds: 0 },
  }));
  const config = run.config && { ...run.config, output: "" };
  const options = { ...run.options, output: "" };
  return sha256(
    encodeTrainingState({ ...state, history, seconds: 0, run: { ...run, config, options } }),
  );
}
