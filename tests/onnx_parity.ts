// A file of ONNX in onnxruntime, and as a network of ours in float64.
import { Random } from "../data/random.ts";
import { loadRuntime } from "../export/onnx_runtime.ts";
import type { OnnxNetwork } from "../export/onnx_network.ts";
import { readOnnx } from "../export/onnx_read/read_onnx.ts";
import { nchwToNhwc } from "../nn/layout.ts";
import { type Network } from "../nn/network.ts";
import { run } from "../nn/forward.ts";
import { fitPretrained } from "../nn/pretrained.ts";
import { networkSpecs } from "../nn/state.ts";
import type { State } from "../nn/parameters.ts";
import { Float64Run } from "./float64_run.ts";

/** Images of a file, `[count, channels, height, width]`. */
export interface Images {
  readonly shape: readonly [number, number, number, number];
  readonly data: Float32Array;
}

/** Noise. */
export function noise(shape: Images["shape"]): Images {
  const random = new Random(5, "images");
  const length = shape.reduce((all, size) => all * size, 1);
  return { shape, data: Float32Array.from({ length }, () => random.normal()) };
}

/** What a file gives in onnxruntime. */
export async function inRuntime(bytes: Uint8Array, { shape, data }: Images): Promise<Float32Array> {
  const runtime = await loadRuntime();
  // The runtime puts Node's Worker in the place of that of the web.
  const { Worker } = globalThis;
  const options = { executionProviders: ["wasm"] };
  const session = await runtime.InferenceSession.create(bytes, options)
    .finally(() => globalThis.Worker = Worker);
  try {
    const image = new runtime.Tensor(data, shape);
    const { [session.outputNames[0]]: logits } = await session.run({
      [session.inputNames[0]]: image,
    });
    if (logits.data instanceof Float32Array) return logits.data;
    throw new TypeError(`wanted logits of float32, found ${logits.type}`);
  } finally {
    await session.release();
  }
}

/** All weights of a file by the names of its network. Raises a `TypeError` where they do not fit. */
export function stateOf({ network, tensors }: OnnxNetwork): State {
  const { state, unused, fresh } = fitPretrained(network, tensors);
  if (!unused.length && !fresh.length) return state;
  throw new TypeError(`unused: ${JSON.stringify(unused)}, missing: ${fresh.join(", ")}`);
}

/** What a network gives in float64. */
export function inFloat64(network: Network, state: State, { shape, data }: Images): Float64Array {
  const { parameters, statistics } = networkSpecs(network);
  const float64 = new Float64Run([...parameters, ...statistics], state);
  const [count, channels, height, width] = shape;
  const pixels = Float64Array.from(nchwToNhwc(data, shape));
  const image = float64.tensor("image", { shape: [count, height, width, channels], data: pixels });
  const { apply, parameter } = float64;
  const values = run(network, image, { apply, parameter, training: false }, { norms: "base" });
  return float64.read(values[network.layers.length - 1]);
}

/** The largest difference of logits, over the largest of them or 1. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let most = 0;
  let largest = 1;
  for (let i = 0; i < a.length; i++) {
    // NaN counts as infinitely far.
    const apart = Math.abs(a[i] - b[i]);
    most = apart <= most ? most : Number.isNaN(apart) ? Infinity : apart;
    largest = Math.max(largest, Math.abs(a[i]));
  }
  return most / largest;
}

/** A file as a network, and how far its logits are from those in onnxruntime. */
export async function compared(
  bytes: Uint8Array,
): Promise<OnnxNetwork & { readonly distance: number }> {
  const read = readOnnx(bytes, "it");
  const { network: { channels }, image: { height, width } } = read;
  const images = noise([2, channels, height, width]);
  const own = inFloat64(read.network, stateOf(read), images);
  return { ...read, distance: distance(own, await inRuntime(bytes, images)) };
}
