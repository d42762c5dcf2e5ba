import { parseJson } from "../data/json.ts";
import { printable } from "../data/printable.ts";
import { isFloat, parseSafetensors } from "../data/safetensors.ts";
import type { TorchTensor } from "../nn/layout.ts";
import { type TorchTensors, withoutPrefixes } from "../nn/pretrained.ts";

/** A file with weights to start from. */
export interface Given {
  /** Its path, fit to be printed. */
  readonly file: string;
  /** Those of floats. */
  readonly tensors: TorchTensors;
  /** Those of other types, by name. */
  readonly others: readonly { readonly name: string; readonly reason: string }[];
  readonly metadata: Readonly<Record<string, string>>;
  /** What there is to say of the file, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * The weights in the bytes of a file, to start from. Raises a {@link DataError} for bytes that are
 * not safetensors.
 */
export function parseGiven(bytes: Uint8Array, file: string): Given {
  const { tensors, metadata } = parseSafetensors(bytes, file);
  const renamed = withoutPrefixes([...tensors.keys()]);
  const floats = new Map<string, TorchTensor>();
  const others: { name: string; reason: string }[] = [];
  for (const [stored, { dtype, shape, data }] of tensors) {
    const name = renamed.names.get(stored) ?? stored;
    if (isFloat(dtype)) {
      const values = data instanceof Float32Array ? data : Float32Array.from(data, Number);
      floats.set(name, { shape, data: values });
    } else if (!name.endsWith(".num_batches_tracked")) {
      others.push({ name, reason: `${dtype}, wanted floats` });
    }
  }
  const prefixes = renamed.prefixes.map((prefix) => `"${prefix}"`).join(", ");
  const notes = renamed.names.size
    ? [`took ${prefixes} off the names of ${renamed.names.size} tensors`]
    : [];
  return { file: printable(file, 300), tensors: floats, others, metadata, notes };
}

/** A field of the metadata that is JSON; `undefined` where it is missing, or is none. */
export function metadataJson({ metadata }: Given, key: string): unknown {
  if (!Object.hasOwn(metadata, key)) return undefined;
  try {
    return parseJson(metadata[key]);
  } catch {
    return undefined;
  }
}
