import { DataError } from "../data/error.ts";
import { foundInstead } from "../data/found_instead.ts";
import { isFloat, parseSafetensors } from "../data/safetensors.ts";
import type { TorchTensor } from "../nn/layout.ts";
import type { TorchTensors } from "../nn/pretrained.ts";
import type { TrainOptions } from "./types.ts";

/** A file with weights to start from. */
export interface Given {
  readonly file: string;
  /** Those of floats. */
  readonly tensors: TorchTensors;
  /** Those of other types, by name. */
  readonly others: readonly { readonly name: string; readonly reason: string }[];
  readonly metadata: Readonly<Record<string, string>>;
}

async function readGiven(path: string, trainsSmall: boolean): Promise<[string, Uint8Array]> {
  const info = await Deno.stat(path).catch(() => undefined);
  const names = trainsSmall ? ["base", "small"] : ["base"];
  const files = info?.isDirectory ? names.map((name) => `${path}/${name}.safetensors`) : [path];
  let found: string | undefined;
  for (const file of files) {
    try {
      return [file, await Deno.readFile(file)];
    } catch (error) {
      found ??= foundInstead(file, error);
      // Only where there is no base network may the small one be meant.
      if (!(error instanceof Deno.errors.NotFound)) break;
    }
  }
  throw new DataError(
    `Cannot start from ${path}: wanted a safetensors file with weights or the folder of a run, ` +
      `found ${found}`,
  );
}

/** PyTorch's own files: a zip archive, or a pickle. */
function isPickle([a, b]: Uint8Array): boolean {
  return (a === 0x50 && b === 0x4b) || a === 0x80;
}

/**
 * Reads the weights that `--init` names; `undefined` where it names none. Raises a
 * {@link DataError} for a file that cannot be read or is not safetensors.
 */
export async function loadGiven({ init, mode, which }: TrainOptions): Promise<Given | undefined> {
  if (init === undefined) return undefined;
  const [file, bytes] = await readGiven(init, mode !== "adjoined" && which === "small");
  if (isPickle(bytes)) {
    throw new DataError(
      `Cannot start from ${file}: wanted safetensors, found a file of torch.save; write it anew ` +
        `with safetensors.torch.save_file(torch.load("${file}"), "weights.safetensors")`,
    );
  }
  const { tensors, metadata } = parseSafetensors(bytes, file);
  const floats = new Map<string, TorchTensor>();
  const others: { name: string; reason: string }[] = [];
  for (const [name, { dtype, shape, data }] of tensors) {
    if (isFloat(dtype)) {
      const values = data instanceof Float32Array ? data : Float32Array.from(data, Number);
      floats.set(name, { shape, data: values });
    } else if (!name.endsWith(".num_batches_tracked")) {
      others.push({ name, reason: `${dtype}, wanted floats` });
    }
  }
  return { file, tensors: floats, others, metadata };
}

/** A field of the metadata that is JSON; `undefined` where it is missing, or is none. */
export function metadataJson({ metadata }: Given, key: string): unknown {
  try {
    return JSON.parse(metadata[key]);
  } catch {
    return undefined;
  }
}
