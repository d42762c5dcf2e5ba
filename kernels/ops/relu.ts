import { awayFromZero, elementwise, RELU, spread } from "../wgsl/elementwise.ts";
import type { Case, Op } from "../op.ts";

/** ReLU has no attributes. */
export type ReluAttributes = Readonly<Record<string, never>>;

const forward = elementwise({
  name: "relu",
  reads: { x: "bulk" },
  dims: {},
  functions: RELU,
  value: (at) => `relu(x(${at}))`,
});

function on(shape: readonly number[]): Case<ReluAttributes> {
  return { inputs: [{ shape, sample: awayFromZero }], attributes: {} };
}

/** `relu(x)` is `max(x, 0)`, of any shape; its slope at 0 is 0, as in PyTorch. */
export const relu: Op<ReluAttributes> = {
  name: "relu",
  forward: (trace, [x]) => {
    const y = trace.tensor("relu", x.shape);
    trace.run(forward, { reads: { x }, writes: { y }, ...spread(y) });
    return [y];
  },
  // y > 0 exactly where x > 0, so the gradient needs only y.
  rectified: () => true,
  vjp: (_, __, dy) => [dy],
  reference: ([{ shape, data }]) => [{ shape, data: data.map((v) => Math.max(v, 0)) }],
  cases: [on([1]), on([63]), on([65]), on([7, 17]), on([2, 3, 5, 7]), on([1, 23, 29, 20])],
};
