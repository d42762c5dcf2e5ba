import { checkDataset } from "../data/dataset.ts";
import { arePictures } from "../data/pictures.ts";
import { safetensorsMetadata } from "../data/safetensors.ts";
import { readOnnx } from "../export/onnx_read/read_onnx.ts";
import { encodeNetwork, parseNetwork } from "../nn/network_json.ts";
import { type Given, parseGiven } from "../train/given.ts";
import { demandTeacher, givenOf } from "../train/given_networks.ts";
import type { RunInputs } from "../train/job.ts";
import { givenNetwork, networkOfRun } from "../train/model_file.ts";
import { normalized } from "../train/pixel_normalization.ts";
import { sameImages } from "../train/resume/same_images.ts";
import { isTrainingState, type TrainingState } from "../train/resume/training_state.ts";
import type { TrainOptions } from "../train/types.ts";
import type { RunSettings, SavedNetwork } from "./run_settings.ts";
import type { AnySettings } from "./resolve.ts";
import { networkIn } from "./saved_network.ts";

/** The weights to start from. */
function givenIn(init: SavedNetwork): Given {
  const name = "init";
  const isFile = init instanceof Uint8Array && !isTrainingState(safetensorsMetadata(init, name));
  return isFile ? parseGiven(init, name) : givenOf(networkIn(init, name), name);
}

/** The base network that is given, and its weights where it has some. */
function modelIn(
  { model, data: { train } }: RunSettings,
): Pick<RunInputs, "network" | "given"> {
  if (model instanceof Uint8Array) {
    return givenNetwork(readOnnx(model, "the model", train), train, "the model");
  }
  if (typeof model !== "object") return {};
  // As a file would have it: whatever is wrong with it is said before anything runs.
  return { network: parseNetwork(encodeNetwork(model), "the model") };
}

/** What a run is given, as far as its options do not say it. */
export function inputsOf(
  settings: AnySettings,
  options: TrainOptions,
  from?: TrainingState,
): RunInputs {
  const { data, init, teacher: taught } = settings;
  for (const set of [data.train, data.validation]) if (!arePictures(set)) checkDataset(set);
  const teacher = taught && networkIn(taught, "the teacher");
  if (teacher) demandTeacher(teacher, data, "the teacher");
  if (from) {
    return { split: sameImages(data, from), teacher, network: networkOfRun(from.run) };
  }
  const own = modelIn(settings);
  const given = init ? givenIn(init) : own.given;
  const { split, notes } = normalized(options, data, given);
  return { split, teacher, network: own.network, given, notes };
}
