import { elementwise, RELU, spread } from "../wgsl/elementwise.ts";
import type { Case, Input, Op, Values } from "../op.ts";
import type { Tensor } from "../gpu/tensor.ts";

/** Attributes of an addition. */
export interface AddAttributes {
  /** Whether `max(·, 0)` is applied to the sum. */
  readonly relu: boolean;
}

function sum(relu: boolean): ReturnType<typeof elementwise<"a" | "b">> {
  return elementwise({
    name: relu ? "add and relu" : "add",
    reads: { a: "bulk", b: "bulk" },
    dims: {},
    functions: RELU,
    value: (at) => relu ? `relu(a(${at}) + b(${at}))` : `a(${at}) + b(${at})`,
  });
}

const plain = sum(false);
const rectified = sum(true);

function checkShapes(a: Tensor | Values, b: Tensor | Values): void {
  if (String(a.shape) !== String(b.shape)) {
    throw new TypeError(
      `Cannot apply add: the inputs have shapes [${a.shape}] and [${b.shape}]; they must be equal`,
    );
  }
}

function on(shape: readonly number[], relu: boolean): Case<AddAttributes> {
  // The sum keeps 0.1 away from the kink at 0.
  const a: Input = { shape, sample: (normal) => Math.round(normal() * 2) + 0.5 };
  const b: Input = { shape, sample: (normal) => 0.4 * Math.tanh(normal()) };
  return { inputs: [a, b], attributes: { relu } };
}

/** `add(a, b)` is `a + b`, of equal shapes, with `max(·, 0)` over it where `relu` says so. */
export const add: Op<AddAttributes> = {
  name: "add",
  forward: (trace, [a, b], { relu }) => {
    checkShapes(a, b);
    const y = trace.tensor("add", a.shape);
    trace.run(relu ? rectified : plain, { reads: { a, b }, writes: { y }, ...spread(y) });
    return [y];
  },
  rectified: ({ relu }) => relu,
  // Both inputs have the same gradient.
  vjp: (_, __, dy) => [dy, dy],
  reference: ([a, b], { relu }) => {
    checkShapes(a, b);
    const data = a.data.map((v, i) => v + b.data[i]);
    return [{ shape: a.shape, data: relu ? data.map((v) => Math.max(v, 0)) : data }];
  },
  cases: [
    on([1], false),
    on([65], true),
    on([63], false),
    on([7, 17], true),
    on([2, 3, 5, 7], false),
    on([1, 23, 29, 20], true),
  ],
};
