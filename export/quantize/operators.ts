import type { OnnxNode, OnnxTensor } from "../onnx_graph.ts";

/**
 * How an operator runs on 8-bit integers:
 * - `weights`: it reads a weight and a bias besides its value, and sums up in 32 bits;
 * - `own`: its value has a range of its own;
 * - `moves`: it only moves numbers of its input, which keep their range.
 */
export type IntegerKind = "weights" | "own" | "moves";

/**
 * The operators that onnxruntime runs on 8-bit integers between QuantizeLinear and DequantizeLinear.
 * All others (gates, norms, smooth activations) stay in floats between DequantizeLinear and
 * QuantizeLinear.
 */
export const INTEGER_OPERATORS: Readonly<Record<string, IntegerKind>> = {
  Conv: "weights",
  Gemm: "weights",
  Add: "own",
  Concat: "own",
  AveragePool: "own",
  GlobalAveragePool: "own",
  LeakyRelu: "own",
  MaxPool: "moves",
  Flatten: "moves",
  Gather: "moves",
  Reshape: "moves",
  Resize: "moves",
  Slice: "moves",
  Transpose: "moves",
};

/** How an operator runs on integers; nothing where it stays in floats. */
export function integerKind({ op }: OnnxNode): IntegerKind | undefined {
  return Object.hasOwn(INTEGER_OPERATORS, op) ? INTEGER_OPERATORS[op] : undefined;
}

/** Whether a node cuts its input at 0 as numbers without a sign do by themselves. */
export function cutsAtZero(
  { op, inputs }: OnnxNode,
  constants: ReadonlyMap<string, OnnxTensor>,
): boolean {
  return op === "Relu" || op === "Clip" && constants.get(inputs[1])?.data[0] === 0;
}
