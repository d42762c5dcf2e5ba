import { elementwise, LANES, spread } from "../wgsl/elementwise.ts";
import type { Shaped } from "../wgsl/geometry.ts";
import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import { elements, type Tensor } from "../gpu/tensor.ts";
import { recordImageSums } from "./image_sums.ts";
import { walk, WALK_DIMS, walkIterations, walkOver } from "../wgsl/walk.ts";
import type { Trace } from "../program/trace.ts";

/** Multiplication has no attributes. */
export type MultiplyAttributes = Readonly<Record<string, never>>;

const equal = elementwise({
  name: "multiply",
  reads: { a: "bulk", b: "bulk" },
  dims: {},
  value: (at) => `a(${at}) * b(${at})`,
});

const spreadOver = defineKernel({
  name: "multiply, spread over pixels",
  workgroupSize: LANES,
  reads: { a: "bulk", b: "bulk" },
  writes: { y: "bulk" },
  dims: WALK_DIMS,
  wgsl: walk({
    once: "let factor = b(row * dims.channel_quads + c);",
    body: "set_y(at, a(at) * factor);",
  }),
  iterations: (dims) => walkIterations(dims),
});

function isSpread(b: Shaped, a: Shaped): boolean {
  const [batch, , , channels] = a.shape;
  return a.shape.length === 4 && String(b.shape) === String([batch, 1, 1, channels]);
}

/** Raises a `TypeError` unless shapes are equal, or one is an image of one pixel. */
function outputShape(a: Shaped, b: Shaped): readonly number[] {
  if (String(a.shape) === String(b.shape) || isSpread(b, a)) return a.shape;
  if (isSpread(a, b)) return b.shape;
  throw new TypeError(
    `Cannot apply multiply: the inputs have shapes [${a.shape}] and [${b.shape}]; they must be ` +
      `equal, or one of them [batch, 1, 1, channels]`,
  );
}

/** a · b, of the shape of a. */
function recordProduct(trace: Trace, name: string, a: Tensor, b: Tensor): Tensor {
  const y = trace.tensor(name, a.shape);
  if (a.words === b.words) {
    trace.run(equal, { reads: { a, b }, writes: { y }, ...spread(y) });
  } else {
    const [rows, height, width, channels] = a.shape;
    const over = walkOver({ rows, width: height * width, channels });
    trace.run(spreadOver, { reads: { a, b }, writes: { y }, ...over });
  }
  return y;
}

/** The gradient of x, one factor, given that of the product and the other factor. */
function recordGradient(trace: Trace, x: Tensor, other: Tensor, dy: Tensor): Tensor {
  if (x.words === dy.words) return recordProduct(trace, "dmultiply", dy, other);
  const dx = trace.tensor("dmultiply", x.shape);
  recordImageSums(trace, other, dy, dx);
  return dx;
}

/** The index in x of what stands at index `i` of the product. */
function indexIn(x: Shaped, shape: readonly number[], i: number): number {
  if (elements(x.shape) === elements(shape)) return i;
  const channels = shape[shape.length - 1];
  return Math.floor(i / (elements(shape) / shape[0])) * channels + i % channels;
}

function on(...inputs: number[][]): Case<MultiplyAttributes> {
  return { inputs, attributes: {} };
}

/**
 * `multiply(a, b)` is `a · b`, of equal shapes; or of images `[batch, height, width, channels]` and
 * factors `[batch, 1, 1, channels]`, in either order, which are spread over the pixels.
 */
export const multiply: Op<MultiplyAttributes> = {
  name: "multiply",
  forward: (trace, [a, b]) => {
    outputShape(a, b);
    return [
      a.words < b.words
        ? recordProduct(trace, "multiply", b, a)
        : recordProduct(trace, "multiply", a, b),
    ];
  },
  // da = dy · b and db = dy · a, over all pixels where it is spread.
  vjp: (trace, { inputs: [a, b], wanted }, dy) => [
    wanted[0] ? recordGradient(trace, a, b, dy) : null,
    wanted[1] ? recordGradient(trace, b, a, dy) : null,
  ],
  reference: ([a, b]) => {
    const shape = outputShape(a, b);
    const data = Float64Array.from(
      { length: elements(shape) },
      (_, i) => a.data[indexIn(a, shape, i)] * b.data[indexIn(b, shape, i)],
    );
    return [{ shape, data }];
  },
  cases: [
    on([1], [1]),
    on([65], [65]),
    on([7, 17], [7, 17]),
    on([2, 3, 5, 7], [2, 3, 5, 7]),
    on([3, 1, 1, 5], [3, 1, 1, 5]),
    on([2, 3, 5, 7], [2, 1, 1, 7]),
    on([3, 1, 1, 5], [3, 7, 9, 5]),
    on([1, 23, 29, 20], [1, 1, 1, 20]),
    on([2, 65, 67, 3], [2, 1, 1, 3]),
  ],
};
