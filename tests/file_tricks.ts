// Files with a trick, each made by hand, and the sentence that refuses it.
import { encodeSafetensors, type TensorToStore } from "../data/safetensors.ts";

/** A safetensors file with the given header and as many bytes of data, each of them 0. */
export function withHeader(header: string, dataBytes = 0): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/** The same tensors with other metadata; `undefined` takes a key away. */
export function withMetadata(
  { tensors, metadata }: {
    tensors: ReadonlyMap<string, TensorToStore>;
    metadata: Readonly<Record<string, string>>;
  },
  change: Readonly<Record<string, string | undefined>>,
): Uint8Array<ArrayBuffer> {
  const all = Object.entries({ ...metadata, ...change });
  return encodeSafetensors(
    tensors,
    Object.fromEntries(all.flatMap(([key, text]) => text === undefined ? [] : [[key, text]])),
  );
}
