import type { Normalization } from "../data/dataset.ts";
import { type ImageSize, sizesOf } from "../nn/count.ts";
import { type FoldedConv2d, foldNorms } from "../nn/fold.ts";
import { kindOf, type Layer } from "../nn/layers/mod.ts";
import type { Attribute, OnnxStep } from "../nn/layers/onnx_step.ts";
import { toTorch } from "../nn/layout.ts";
import { IMAGE, type Network, shapesOf, type Value } from "../nn/network.ts";
import type { ValueShape } from "../nn/layers/layer.ts";
import { FreeNames } from "./free_names.ts";
import type { State } from "../nn/parameters.ts";
import { nameOf, partsOf } from "../nn/state.ts";

/** An operator of ONNX with the names of what it reads and makes. */
export interface OnnxNode {
  /** The name of its output. */
  readonly name: string;
  /** The operator, by its name in the operator set: `Conv`. */
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** The numbers of a constant; the array says of what type they are. */
export type OnnxData =
  | Float32Array
  | Float16Array
  | BigInt64Array
  | Int32Array
  | Int8Array
  | Uint8Array;

/** A constant of the graph. */
export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly data: OnnxData;
}

/** A network as nodes of ONNX's operator set 17 from `image` to `logits`. */
export interface OnnxGraph {
  /** A node comes after those that it reads; each makes one value, of its own name. */
  readonly nodes: readonly OnnxNode[];
  /** By name. */
  readonly constants: ReadonlyMap<string, OnnxTensor>;
}

/** The names that are taken in a graph. */
export function namesIn({ nodes, constants }: OnnxGraph): FreeNames {
  return new FreeNames([INPUT, OUTPUT, ...constants.keys(), ...nodes.map(({ name }) => name)]);
}

/** The names of a graph's input and output. */
export const INPUT = "image";
export const OUTPUT = "logits";

/** The network and settings that a graph is made of. */
export interface GraphOptions {
  readonly network: Network;
  readonly state: State;
  /** Pixels of the images; pools depend on them. */
  readonly image: ImageSize;
  /** If given, the graph normalises: its input are pixels from 0 to 255. */
  readonly normalization?: Normalization;
}

/** A constant in PyTorch's layout, which ONNX has too. */
function torchConstant({ shape, data }: OnnxTensor): OnnxTensor {
  return data instanceof Float32Array ? toTorch(data, shape) : { shape, data };
}

class GraphBuilder implements OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly constants = new Map<string, OnnxTensor>();
  readonly #names = new FreeNames([INPUT, OUTPUT]);
  readonly #network: Network;
  readonly #state: State;
  readonly #sizes: readonly ImageSize[];
  readonly #shapes: readonly ValueShape[];
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
    this.#shapes = shapesOf(network);
    this.#folded = foldNorms(network, state);
  }

  #constant(wanted: string, tensor: OnnxTensor): string {
    const name = this.#names.take(wanted);
    this.constants.set(name, tensor);
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
    const product = this.#node("Mul", this.#names.take("scaled"), [
      INPUT,
      this.#constant("scale", { shape, data: scale }),
    ]);
    this.#input = this.#node("Add", this.#names.take("normalized"), [
      product,
      this.#constant("shift", { shape, data: shift }),
    ]);
  }

  add(layer: Layer, i: number): void {
    const of = (value: Value): string => value === IMAGE ? this.#input : this.#values[value];
    // A norm that is folded has its value already.
    this.#values[i] ??= this.#layer(layer, i, layer.inputs.map(of));
    const folded = this.#folded.get(i);
    if (folded) this.#values[folded.norm] = this.#values[i];
  }

  /** The nodes of a layer. Gives the name of the last, that of its input where there are none. */
  #layer(layer: Layer, i: number, inputs: readonly string[]): string {
    const [x] = layer.inputs;
    const folded = this.#folded.get(i);
    const steps = kindOf(layer).onnx(layer, {
      values: partsOf(layer, this.#state),
      flat: x !== IMAGE && this.#shapes[x].flat,
      image: x === IMAGE ? this.#image : this.#sizes[x],
      ...(folded && { folded }),
    });
    const name = nameOf(layer) || `${layer.kind}_${i}`;
    const last = (step: number): boolean =>
      i === this.#network.layers.length - 1 && step === steps.length - 1;
    const record = (reads: readonly string[], step: OnnxStep, k: number): string[] => {
      const wanted = k === 0 ? name : `${name}.${step.suffix ?? step.op}`;
      const called = last(k) ? OUTPUT : this.#names.take(wanted);
      const constants = (step.constants ?? []).map(({ part, shape, data }) =>
        this.#constant(`${name}.${part}`, torchConstant({ shape, data }))
      );
      const all = [...reads, ...step.again && k > 0 ? [inputs[0]] : [], ...constants];
      return [this.#node(step.op, called, all, step.attributes)];
    };
    return steps.reduce(record, [...inputs])[0];
  }
}

/**
 * A network as a graph of ONNX's operators; batch norms after convolutions are folded into them.
 */
export function onnxGraph(options: GraphOptions): OnnxGraph {
  const builder = new GraphBuilder(options);
  if (options.normalization) builder.normalize(options.normalization);
  options.network.layers.forEach((layer, i) => builder.add(layer, i));
  return builder;
}
