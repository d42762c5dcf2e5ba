import type { Batch } from "../../data/batch.ts";
import { DataError } from "../../data/error.ts";
import { foundInstead } from "../../data/found_instead.ts";
import type { PictureSet } from "../../data/pictures.ts";
import type { Checkpoint } from "../../export/checkpoint.ts";
import type { CheckpointInfo } from "../../export/metadata.ts";
import { Gpu } from "../../kernels/gpu.ts";
import { KernelSession } from "../../train/kernel_session.ts";
import type { Which } from "../../train/types.ts";
import { chosenNetwork } from "./chosen_network.ts";
import { networksIn } from "./networks_in.ts";
import { isOnnx } from "./network_format.ts";
import { readFile } from "./read_file.ts";
import { isFolder, savedNetwork, savedNetworks } from "./run_images.ts";

/** A saved network that runs. */
export interface OpenNetwork {
  /** Logits of the images of a batch that are meant, `[batch, classes]`, row-major. */
  logits(batch: Batch): Promise<Float32Array>;
  /** Gives back its memory. */
  close(): Promise<void>;
}

/** A saved network that has been read, but does not run yet. */
export interface ReadNetwork {
  readonly file: string;
  readonly info: CheckpointInfo;
  /** Compiles it for batches of a set. */
  open(set: PictureSet, batch: number): Promise<OpenNetwork>;
}

async function readOnnx(bytes: Uint8Array, file: string): Promise<ReadNetwork> {
  const { OnnxSession } = await import("../../export/onnx_session.ts");
  const session = await OnnxSession.open(bytes, file);
  return { file, info: session.info, open: () => Promise.resolve(session) };
}

/** A network whose weights have been read. */
function onKernels(checkpoint: Checkpoint, file: string): ReadNetwork {
  return {
    file,
    info: checkpoint,
    async open(dataset, batch) {
      const gpu = await Gpu.open();
      const close = () => Promise.resolve(gpu.destroy());
      try {
        const session = await KernelSession.open(gpu.scope(), { checkpoint, dataset, batch });
        return { logits: (batch) => session.logits(batch), close };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}

/** The network of a run that is meant where it is not said: the smallest of the small ones. */
function usual(path: string): string {
  if (!isFolder(path)) return path;
  const [base, ...others] = savedNetworks(path).map(({ file }) => file);
  const small = base.endsWith("/base.safetensors") ? others : [base, ...others];
  const sized = small.map((file) => ({ file, size: Deno.statSync(file).size }));
  return sized.reduce((a, b) => b.size < a.size ? b : a, { file: base, size: Infinity }).file;
}

/**
 * Reads the network that a path names: one of a run folder or of a checkpoint, or a safetensors or
 * ONNX file, told apart by what is in it. Raises a {@link DataError} where there is none, and a
 * {@link UsageError} for a file that holds the other network than `which`.
 */
export async function readNetwork(path: string, which?: Which): Promise<ReadNetwork> {
  const file = which === undefined ? usual(path) : savedNetwork(path, which).file;
  const bytes = await readFile(file).catch((cause) => {
    throw new DataError(
      `Cannot predict: wanted the run folder, safetensors or ONNX file of a trained network, found ` +
        foundInstead(file, cause),
      { cause },
    );
  });
  const chosen = { action: "predict with", file };
  if (!isOnnx(bytes, file)) {
    return onKernels(chosenNetwork(await networksIn(bytes, file), which, chosen), file);
  }
  const network = await readOnnx(bytes, file);
  chosenNetwork({ networks: [network.info] }, which, chosen);
  return network;
}
