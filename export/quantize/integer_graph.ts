import type { FreeNames } from "../free_names.ts";
import {
  INPUT,
  namesIn,
  type OnnxData,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  OUTPUT,
} from "../onnx_graph.ts";
import { integerPlan } from "./plan.ts";
import { affineOf, type Range } from "./range.ts";
import { integerWeights } from "./weights.ts";

/** Scale and zero point of a value, and the names of their constants. */
interface Steps {
  readonly scale: number;
  readonly constants: readonly [scale: string, zero: string];
}

class IntegerBuilder implements OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly constants = new Map<string, OnnxTensor>();
  readonly #from: OnnxGraph;
  readonly #plan;
  readonly #ranges: ReadonlyMap<string, Range>;
  readonly #names: FreeNames;
  readonly #steps = new Map<string, Steps>();
  /** By value in integers: the node that gives it in floats again. */
  readonly #again = new Map<string, string>();

  constructor(graph: OnnxGraph, ranges: ReadonlyMap<string, Range>) {
    this.#from = graph;
    this.#plan = integerPlan(graph);
    this.#ranges = ranges;
    this.#names = namesIn(graph);
  }

  #constant(wanted: string, data: OnnxData, shape: readonly number[]): string {
    const name = this.#names.take(wanted);
    this.constants.set(name, { shape, data });
    return name;
  }

  #node(op: string, wanted: string, inputs: readonly string[], axis?: number): string {
    const name = this.#names.take(wanted);
    this.nodes.push({ name, op, inputs, attributes: axis === undefined ? {} : { axis } });
    return name;
  }

  /** Scale and zero point of a value in integers. */
  #stepsOf(value: string): Steps {
    const of = this.#plan.ranges.get(value) ?? value;
    const known = this.#steps.get(of);
    if (known) return known;
    const range = this.#ranges.get(of);
    if (!range) throw new TypeError(`Cannot quantise ${of}: wanted its range, found none`);
    const { scale, zero } = affineOf(range);
    const constants = [
      this.#constant(`${of}.scale`, Float32Array.of(scale), []),
      this.#constant(`${of}.zero_point`, Uint8Array.of(zero), []),
    ] as const;
    const steps = { scale, constants };
    this.#steps.set(of, steps);
    return steps;
  }

  /** A value to integers and back, where it is in integers; `from` is the node that makes it. */
  value(name: string, from = name): void {
    if (!this.#plan.ranges.has(name)) return;
    const { constants } = this.#stepsOf(name);
    const integers = this.#node("QuantizeLinear", `${name}.quantized`, [from, ...constants]);
    this.#again.set(
      name,
      this.#node("DequantizeLinear", `${name}.dequantized`, [integers, ...constants]),
    );
  }

  /** Weight and bias as integers, and back; nothing where a node has none. */
  #weights({ inputs: [x, weightName, biasName] }: OnnxNode): string[] {
    const floats = (name: string | undefined): OnnxTensor & { data: Float32Array } | undefined => {
      const found = name === undefined ? undefined : this.#from.constants.get(name);
      return found?.data instanceof Float32Array ? { ...found, data: found.data } : undefined;
    };
    const [w, b] = [floats(weightName), floats(biasName)];
    if (!w) throw new TypeError(`Cannot quantise ${weightName}: wanted floats, found none`);
    const [out] = w.shape;
    const input = this.#stepsOf(x).scale;
    const { weight, scale, bias } = integerWeights({
      ...{ weight: w.data, bias: b?.data, input, out },
    });
    const back = (name: string, data: OnnxData, shape: readonly number[], by: Float32Array) => {
      const zeros = data instanceof Int8Array ? new Int8Array(out) : new Int32Array(out);
      return this.#node("DequantizeLinear", `${name}.dequantized`, [
        this.#constant(`${name}.quantized`, data, shape),
        this.#constant(`${name}.scale`, by, [out]),
        this.#constant(`${name}.zero_point`, zeros, [out]),
      ], 0);
    };
    return [
      back(weightName, weight, w.shape, scale),
      ...bias && b ? [back(biasName, bias, b.shape, scale.map((s) => s * input))] : [],
    ];
  }

  add(node: OnnxNode): void {
    const { integer, absorbed, made } = this.#plan;
    const kind = integer.get(node.name);
    // Integers that floats made are read by integers alone.
    const read = (name: string): string =>
      kind || made.has(name) ? this.#again.get(name) ?? name : name;
    const inputs = kind === "weights"
      ? [read(node.inputs[0]), ...this.#weights(node)]
      : node.inputs.map(read);
    this.nodes.push({ ...node, inputs });
    for (const name of node.inputs) {
      const constant = this.#from.constants.get(name);
      if (constant && kind !== "weights") this.constants.set(name, constant);
    }
    if (node.name !== OUTPUT) this.value(absorbed.get(node.name)?.name ?? node.name, node.name);
  }
}

/**
 * A graph of floats as one of integers for onnxruntime, in the QDQ form: values of 8 bits without a
 * sign, one scale and zero point for each; weights of 8 bits with a scale for each output channel;
 * biases of 32 bits; QuantizeLinear and DequantizeLinear around all that runs on them.
 *
 * @param ranges By name: the ranges of the values that {@link rangedValues} names.
 */
export function integerGraph(graph: OnnxGraph, ranges: ReadonlyMap<string, Range>): OnnxGraph {
  const builder = new IntegerBuilder(graph, ranges);
  const left = new Set([...integerPlan(graph).absorbed.values()].map(({ name }) => name));
  builder.value(INPUT);
  for (const node of graph.nodes) if (!left.has(node.name)) builder.add(node);
  return builder;
}
