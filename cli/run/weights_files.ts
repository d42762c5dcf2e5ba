import { DataError } from "../../data/error.ts";
import { foundInstead } from "../../data/found_instead.ts";
import { printable } from "../../data/printable.ts";
import type { AnySplit } from "../../data/dataset.ts";
import { safetensorsMetadata } from "../../data/safetensors.ts";
import type { Checkpoint } from "../../export/checkpoint.ts";
import type { OnnxNetwork } from "../../export/onnx_network.ts";
import type { ImageSize } from "../../nn/count.ts";
import { type Given, parseGiven } from "../../train/given.ts";
import { baseIn, demandTeacher, givenOf } from "../../train/given_networks.ts";
import { isTrainingState } from "../../train/resume/training_state.ts";
import type { TrainOptions } from "../../train/types.ts";
import { networksIn } from "./networks_in.ts";
import { readFile } from "./read_file.ts";
import { checkpointCure } from "./run_checkpoints.ts";

/** What to do about a folder without the networks of a run, as the end of a sentence. */
function orCheckpoint(path: string): string {
  const cure = checkpointCure(path);
  return cure ? `; ${cure}` : "";
}

async function readGiven(path: string, trainsSmall: boolean): Promise<[string, Uint8Array]> {
  const info = await Deno.stat(path).catch(() => undefined);
  const names = trainsSmall ? ["base", "small"] : ["base"];
  const files = info?.isDirectory ? names.map((name) => `${path}/${name}.safetensors`) : [path];
  let found: string | undefined;
  let cause: unknown;
  for (const file of files) {
    try {
      return [file, await readFile(file)];
    } catch (error) {
      found ??= foundInstead(file, error);
      cause ??= error;
      // Only where there is no base network may the small one be meant.
      if (!(error instanceof Deno.errors.NotFound)) break;
    }
  }
  throw new DataError(
    `Cannot start from ${printable(path, 300)}: wanted a safetensors file with weights or the ` +
      `folder of a run, found ${found}${orCheckpoint(path)}`,
    { cause },
  );
}

/**
 * Reads the weights that `--init` names; nothing where it names none. Raises a {@link DataError} for
 * a file that cannot be read or is not safetensors.
 */
export async function loadGiven(
  { init, mode, which }: Pick<TrainOptions, "init" | "mode" | "which">,
): Promise<Given | undefined> {
  if (init === undefined) return undefined;
  const [file, bytes] = await readGiven(init, mode !== "adjoined" && which === "small");
  if (!isTrainingState(safetensorsMetadata(bytes, file))) return parseGiven(bytes, file);
  const { networks } = await networksIn(bytes, file);
  return givenOf(baseIn(networks), file);
}

/**
 * Reads the network that `--model` names a file of; sides that the file leaves open are those of the
 * images. Raises a {@link DataError} when it cannot be read.
 */
export async function loadNetwork(path: string, open?: ImageSize): Promise<OnnxNetwork> {
  const bytes = await readFile(path).catch((cause) => {
    throw new DataError(
      `Cannot read the model: wanted an ONNX file, found ${foundInstead(path, cause)}`,
      { cause },
    );
  });
  const { readOnnx } = await import("../../export/onnx_read/read_onnx.ts");
  return readOnnx(bytes, path, open);
}

/** Reads the teacher of a distillation. Raises a {@link DataError} when it cannot be read. */
export async function loadTeacher(path: string, split: AnySplit): Promise<Checkpoint> {
  const info = await Deno.stat(path).catch(() => undefined);
  const isFile = info ? !info.isDirectory : path.endsWith(".safetensors");
  const file = isFile ? path : `${path}/base.safetensors`;
  const bytes = await readFile(file).catch((cause) => {
    throw new DataError(
      `Cannot load the teacher: wanted the run folder or safetensors file of a trained base, ` +
        `found ${foundInstead(file, cause)}${orCheckpoint(path)}`,
      { cause },
    );
  });
  const teacher = baseIn((await networksIn(bytes, file)).networks);
  demandTeacher(teacher, split, file);
  return teacher;
}
