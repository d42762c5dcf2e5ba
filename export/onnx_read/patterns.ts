import type { FileGraph } from "./graph.ts";
import type { ReadNode } from "./message.ts";
import { Step } from "./step.ts";

/** Several nodes that are one layer: found by the last of them. */
type Pattern = (node: ReadNode, graph: FileGraph) => Step | undefined;

function near(found: number | undefined, wanted: number): boolean {
  return found !== undefined && Math.abs(found - wanted) <= 1e-4 * Math.max(1, Math.abs(wanted));
}

/** The node of an operator that makes a value. */
function madeBy(graph: FileGraph, op: string, name: string): ReadNode | undefined {
  const node = graph.maker(name);
  return node?.opType === op ? node : undefined;
}

/** Both orders of the two inputs of a node. */
function orders({ input }: ReadNode): (readonly [string, string])[] {
  if (input.length !== 2) return [];
  const [a, b] = input;
  return [[a, b], [b, a]];
}

/** The other input of a sum or a product with a number. */
function withNumber(node: ReadNode | undefined, graph: FileGraph, wanted: number) {
  if (!node) return undefined;
  return orders(node).find(([, number]) => near(graph.scalar(number), wanted))?.[0];
}

/** `x · sigmoid(x)`. */
const silu: Pattern = (node, graph) => {
  if (node.opType !== "Mul") return undefined;
  for (const [x, gate] of orders(node)) {
    if (madeBy(graph, "Sigmoid", gate)?.input[0] === x) {
      return new Step(node, { op: "silu", inputs: [x], attributes: [] });
    }
  }
};

/** The x of `clip(x + 3, 0, 6)`. */
function clipped(graph: FileGraph, name: string): string | undefined {
  const clip = madeBy(graph, "Clip", name);
  if (!clip) return undefined;
  const [x, low = "", high = ""] = clip.input;
  if (!near(graph.scalar(low), 0) || !near(graph.scalar(high), 6)) return undefined;
  return withNumber(madeBy(graph, "Add", x), graph, 3);
}

/** The numerator of a division by 6, written either way. */
function sixth(node: ReadNode, graph: FileGraph): string | undefined {
  if (node.opType === "Mul") return withNumber(node, graph, 1 / 6);
  if (node.opType !== "Div" || !near(graph.scalar(node.input[1]), 6)) return undefined;
  return node.input[0];
}

/** `clip(x + 3, 0, 6) / 6`. */
const hardSigmoid: Pattern = (node, graph) => {
  const whole = sixth(node, graph);
  const x = whole === undefined ? undefined : clipped(graph, whole);
  return x === undefined
    ? undefined
    : new Step(node, { op: "hardSigmoid", inputs: [x], attributes: [] });
};

/** Whether a value is the hard sigmoid of x. */
function isHardSigmoid(graph: FileGraph, name: string, x: string): boolean {
  const node = graph.maker(name);
  if (node?.opType !== "HardSigmoid") {
    return node !== undefined && hardSigmoid(node, graph)?.inputs[0] === x;
  }
  const step = new Step(node);
  return near(step.float("alpha", 0.2), 1 / 6) && near(step.float("beta", 0.5), 0.5) &&
    node.input[0] === x;
}

/** `x · hardSigmoid(x)`, also with the division behind the product. */
const hardSwish: Pattern = (node, graph) => {
  const step = (x: string) => new Step(node, { op: "hardSwish", inputs: [x], attributes: [] });
  const whole = sixth(node, graph);
  const product = whole === undefined ? undefined : madeBy(graph, "Mul", whole);
  for (const [x, clip] of product ? orders(product) : []) {
    if (clipped(graph, clip) === x) return step(x);
  }
  if (node.opType !== "Mul") return undefined;
  for (const [x, gate] of orders(node)) {
    if (isHardSigmoid(graph, gate, x)) return step(x);
  }
};

/** The factors of a product: numbers together, and all others. */
function factors(
  name: string,
  graph: FileGraph,
  depth = 4,
): { readonly number: number; readonly others: readonly string[] } {
  const number = graph.scalar(name);
  if (number !== undefined) return { number, others: [] };
  const node = graph.maker(name);
  const op = node?.opType;
  if (!node || node.input.length !== 2 || depth === 0 || (op !== "Mul" && op !== "Div")) {
    return { number: 1, others: [name] };
  }
  const [a, b] = node.input;
  if (op === "Mul") {
    const [left, right] = [a, b].map((input) => factors(input, graph, depth - 1));
    return { number: left.number * right.number, others: [...left.others, ...right.others] };
  }
  const divisor = graph.scalar(b);
  if (divisor === undefined) return { number: 1, others: [name] };
  const left = factors(a, graph, depth - 1);
  return { ...left, number: left.number / divisor };
}

/** `x (1 + erf(x / √2)) / 2`, its factors in any order. */
const gelu: Pattern = (node, graph) => {
  if (node.opType !== "Mul" && node.opType !== "Div") return undefined;
  const { number, others } = factors(node.output[0], graph);
  if (others.length !== 2 || !near(number, 0.5)) return undefined;
  for (const [x, gate] of [others, others.toReversed()]) {
    const erf = withNumber(madeBy(graph, "Add", gate), graph, 1);
    const inner = erf === undefined ? undefined : madeBy(graph, "Erf", erf)?.input[0];
    if (inner === undefined) continue;
    const scaled = factors(inner, graph);
    if (near(scaled.number, Math.SQRT1_2) && scaled.others.join() === x) {
      return new Step(node, { op: "gelu", inputs: [x], attributes: [] });
    }
  }
};

/** The axis over which a node takes the mean, as one that is kept. */
function meanAxis(node: ReadNode | undefined, graph: FileGraph): number | undefined {
  if (node?.opType !== "ReduceMean") return undefined;
  const step = new Step(node);
  const given = node.input[1];
  const axes = given ? graph.stated(given)?.sizes : step.ints("axes");
  const [axis] = axes ?? [];
  return axes?.length === 1 && typeof axis === "number" && step.int("keepdims", 1) === 1
    ? axis
    : undefined;
}

/** x and the axis of `x - mean(x)`. */
function centred(graph: FileGraph, name: string): readonly [string, number] | undefined {
  const difference = madeBy(graph, "Sub", name);
  if (!difference) return undefined;
  const [x, mean] = difference.input;
  const node = graph.maker(mean);
  const axis = meanAxis(node, graph);
  return axis !== undefined && node?.input[0] === x ? [x, axis] : undefined;
}

/** The value of which a node is the square. */
function squared(node: ReadNode | undefined, graph: FileGraph): string | undefined {
  if (!node) return undefined;
  const [a, b] = node.input;
  if (node.opType === "Pow") return near(graph.scalar(b), 2) ? a : undefined;
  return node.opType === "Mul" && a === b ? a : undefined;
}

/** x, the axis and epsilon of `(x - mean) / √(variance + eps)`. */
function standardized(
  graph: FileGraph,
  name: string,
): { readonly x: string; readonly axis: number; readonly epsilon: number } | undefined {
  const quotient = madeBy(graph, "Div", name);
  const root = quotient && madeBy(graph, "Sqrt", quotient.input[1]);
  const sum = root && madeBy(graph, "Add", root.input[0]);
  const above = quotient && centred(graph, quotient.input[0]);
  if (!sum || !above) return undefined;
  const [x, axis] = above;
  for (const [variance, added] of orders(sum)) {
    const epsilon = graph.scalar(added);
    const mean = graph.maker(variance);
    if (epsilon === undefined || meanAxis(mean, graph) !== axis) continue;
    const deviation = squared(graph.maker(mean?.input[0] ?? ""), graph);
    const below = deviation === undefined ? undefined : centred(graph, deviation);
    if (below?.join() === above.join()) return { x, axis, epsilon };
  }
}

/** `(x - mean) / √(variance + eps) · weight + bias` over one axis. */
const layerNorm: Pattern = (node, graph) => {
  if (node.opType !== "Add") return undefined;
  for (const [product, bias] of orders(node)) {
    const scaled = graph.isConstant(bias) ? madeBy(graph, "Mul", product) : undefined;
    for (const [quotient, weight] of scaled ? orders(scaled) : []) {
      const found = graph.isConstant(weight) ? standardized(graph, quotient) : undefined;
      if (!found) continue;
      const { x, axis, epsilon } = found;
      return new Step(node, {
        op: "layerNorm",
        inputs: [x, weight, bias],
        attributes: [],
        numbers: { axis, epsilon },
      });
    }
  }
};

/** A convolution or a product of matrices, and the bias after it. */
const biased: Pattern = (node, graph) => {
  if (node.opType !== "Add") return undefined;
  for (const [made, bias] of orders(node)) {
    const before = graph.maker(made);
    const takesBias = before?.input.length === 2 &&
      ["Conv", "MatMul", "Gemm"].includes(before.opType);
    if (!before || !takesBias || !graph.isConstant(bias) || graph.uses(made) !== 1) continue;
    if (!graph.isConstant(before.input[1])) continue;
    return new Step(node, {
      op: before.opType,
      inputs: [...before.input, bias],
      attributes: before.attribute,
    });
  }
};

/** The value and the matrix of a transposed product: `(x m)` with its last two axes swapped. */
function turnedProduct(
  node: ReadNode | undefined,
  graph: FileGraph,
): readonly [string, string] | undefined {
  if (node?.opType !== "Transpose") return undefined;
  const order = new Step(node).ints("perm")?.join();
  const product = order === "0,1,3,2" ? madeBy(graph, "MatMul", node.input[0]) : undefined;
  if (product?.input.length !== 2 || !graph.isConstant(product.input[1])) return undefined;
  const [x, matrix] = product.input;
  return [x, matrix];
}

/** Columns, then rows of an image multiplied by the part that each has in a mean. */
const adaptivePool: Pattern = (node, graph) => {
  const rows = turnedProduct(node, graph);
  const columns = rows && turnedProduct(graph.maker(rows[0]), graph);
  if (!columns) return undefined;
  const inputs = [columns[0], rows[1], columns[1]];
  return new Step(node, { op: "adaptivePool", inputs, attributes: [] });
};

/** Those that are looked for, the longer before the shorter. */
const PATTERNS: readonly Pattern[] = [
  hardSwish,
  hardSigmoid,
  silu,
  gelu,
  layerNorm,
  adaptivePool,
  biased,
];

/** What a node ends: the first pattern that fits, else itself. */
export function stepOf(node: ReadNode, graph: FileGraph): Step {
  for (const pattern of PATTERNS) {
    const found = pattern(node, graph);
    if (found) return found;
  }
  return new Step(node);
}
