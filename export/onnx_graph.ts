import type { Normalization } from "../data/dataset.ts";
import { avgPoolSide } from "../kernels/ops/avg_pool2d.ts";
import { type ImageSize, sizesOf } from "../nn/count.ts";
import { type FoldedConv2d, foldNorms } from "../nn/fold.ts";
import { toTorch } from "../nn/layout.ts";
import {
  type Conv2dLayer,
  IMAGE,
  type Layer,
  type Network,
  NORM_EPS,
  type Value,
} from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { maskTaps, valueOf } from "../nn/state.ts";

/** A whole number, several, or a float. */
export type Attribute = number | readonly number[] | { readonly float: number };

/** An operator of ONNX with the names of what it reads and makes. */
export interface OnnxNode {
  /** Of the first output. */
  readonly name: string;
  /** As in the operator set: `Conv`. */
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A constant of the graph. */
export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** A network as nodes of ONNX's operator set 17 from `image` to `logits`. */
export interface OnnxGraph {
  /** A node comes after those that it reads; each makes one value, of its own name. */
  readonly nodes: readonly OnnxNode[];
  /** By name. */
  readonly constants: ReadonlyMap<string, OnnxTensor>;
}

/** The names of a graph's input and output. */
export const INPUT = "image";
export const OUTPUT = "logits";

/** What a graph is made of. */
export interface GraphOptions {
  readonly network: Network;
  readonly state: State;
  /** Pixels of the images; pools depend on them. */
  readonly image: ImageSize;
  /** If given, the graph normalises: its input are pixels from 0 to 255. */
  readonly normalization?: Normalization;
}

class GraphBuilder implements OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly constants = new Map<string, OnnxTensor>();
  readonly #taken = new Set([INPUT, OUTPUT]);
  readonly #network: Network;
  readonly #state: State;
  readonly #sizes: readonly ImageSize[];
  readonly #folded: ReadonlyMap<number, FoldedConv2d>;
  readonly #image: ImageSize;
  /** By layer: the name of its value. */
  readonly #values: string[] = [];
  #input = INPUT;

  constructor({ network, state, image }: GraphOptions) {
    this.#network = network;
    this.#state = state;
    this.#image = image;
    this.#sizes = sizesOf(network, image);
    this.#folded = foldNorms(network, state);
  }

  /** A name that is free: the wanted one, or that with a number. */
  #name(wanted: string): string {
    let name = wanted;
    for (let n = 2; this.#taken.has(name); n++) name = `${wanted}_${n}`;
    this.#taken.add(name);
    return name;
  }

  #constant(wanted: string, shape: readonly number[], data: OnnxTensor["data"]): string {
    const name = this.#name(wanted);
    this.constants.set(name, { shape, data });
    return name;
  }

  #node(
    op: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    this.nodes.push({ name, op, inputs, attributes });
    return name;
  }

  /** (pixel / 255 - mean) / std as pixel times one constant, plus another. */
  normalize({ mean, std }: Normalization): void {
    const shape = [1, mean.length, 1, 1];
    const scale = Float32Array.from(std, (s) => 1 / (255 * s));
    const shift = Float32Array.from(mean, (m, c) => -m / std[c]);
    const product = this.#node("Mul", this.#name("scaled"), [
      INPUT,
      this.#constant("scale", shape, scale),
    ]);
    this.#input = this.#node("Add", this.#name("normalized"), [
      product,
      this.#constant("shift", shape, shift),
    ]);
  }

  add(layer: Layer, i: number): void {
    const last = i === this.#network.layers.length - 1;
    const of = (value: Value): string => value === IMAGE ? this.#input : this.#values[value];
    // A norm that is folded has its value already.
    this.#values[i] ??= this.#layer(layer, i, {
      name: last ? OUTPUT : this.#name("name" in layer ? layer.name : `${layer.kind}_${i}`),
      inputs: layer.inputs.map(of),
    });
    const folded = this.#folded.get(i);
    if (folded) this.#values[folded.norm] = this.#values[i];
  }

  #layer(
    layer: Layer,
    i: number,
    { name, inputs }: { name: string; inputs: readonly string[] },
  ): string {
    switch (layer.kind) {
      case "conv2d":
        return this.#convolution(layer, i, { name, inputs });
      case "batchNorm": {
        const parts = ["weight", "bias", "running_mean", "running_var"].map((part) => {
          const values = valueOf(this.#state, `${layer.name}.${part}`);
          return this.#constant(`${layer.name}.${part}`, [values.length], values);
        });
        const epsilon = { float: NORM_EPS };
        return this.#node("BatchNormalization", name, [...inputs, ...parts], { epsilon });
      }
      case "relu":
        return this.#node("Relu", name, inputs);
      case "add":
        return this.#node("Add", name, inputs);
      case "narrow": {
        const bounds = { starts: 0, ends: layer.channels, axes: 1 };
        const constants = Object.entries(bounds).map(([part, value]) =>
          this.#constant(`${name}.${part}`, [1], BigInt64Array.of(BigInt(value)))
        );
        return this.#node("Slice", name, [...inputs, ...constants]);
      }
      case "maxPool2d": {
        const { kernel, stride, padding } = layer;
        return this.#node("MaxPool", name, inputs, {
          kernel_shape: [kernel, kernel],
          strides: [stride, stride],
          pads: Array<number>(4).fill(padding),
        });
      }
      case "avgPool2d":
        return this.#node("AveragePool", name, inputs, this.#averagePool(layer));
      case "globalAvgPool2d": {
        const pooled = this.#node("GlobalAveragePool", name, inputs);
        return this.#node("Flatten", this.#name(`${name}.flat`), [pooled], { axis: 1 });
      }
      case "linear": {
        const parts = [[layer.in, layer.out], [layer.out]].map((shape, part) => {
          const own = `${layer.name}.${part ? "bias" : "weight"}`;
          const torch = toTorch(valueOf(this.#state, own), shape);
          return this.#constant(own, torch.shape, torch.data);
        });
        return this.#node("Gemm", name, [...inputs, ...parts], { transB: 1 });
      }
    }
  }

  #convolution(
    layer: Conv2dLayer,
    i: number,
    { name, inputs }: { name: string; inputs: readonly string[] },
  ): string {
    const { kernel, stride, padding, in: channels, out } = layer;
    const own = `${layer.name}.weight`;
    const folded = this.#folded.get(i);
    const weight = folded?.weight ?? maskTaps(layer, valueOf(this.#state, own));
    const { shape, data } = toTorch(weight, [kernel, kernel, channels, out]);
    const constants = [this.#constant(own, shape, data)];
    if (folded) constants.push(this.#constant(`${layer.name}.bias`, [out], folded.bias));
    return this.#node("Conv", name, [...inputs, ...constants], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: Array<number>(4).fill(padding),
    });
  }

  // Windows that hang over an edge are written as padding that does not count, rather than with
  // ceil_mode, which not every runtime takes, and which some round otherwise.
  #averagePool(
    layer: Extract<Layer, { kind: "avgPool2d" }>,
  ): Record<string, Attribute> {
    const { kernel, stride, inputs: [x] } = layer;
    const { height, width } = x === IMAGE ? this.#image : this.#sizes[x];
    const over = (side: number): number =>
      Math.max(0, (avgPoolSide(side, layer) - 1) * stride + kernel - side);
    return {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [0, 0, over(height), over(width)],
      count_include_pad: 0,
    };
  }
}

/** A network as a graph of ONNX's operators; batch norms after convolutions are folded into them. */
export function onnxGraph(options: GraphOptions): OnnxGraph {
  const builder = new GraphBuilder(options);
  if (options.normalization) builder.normalize(options.normalization);
  options.network.layers.forEach((layer, i) => builder.add(layer, i));
  return builder;
}
