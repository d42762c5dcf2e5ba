import { elementwise, spread } from "../wgsl/elementwise.ts";
import type { Shaped } from "../wgsl/geometry.ts";
import type { Gradient, Op } from "../op.ts";
import { type Tensor } from "../gpu/tensor.ts";
import { recordPixelSums } from "./pixel_sums.ts";

/** A bias has no attributes. */
export type BiasAttributes = Readonly<Record<string, never>>;

const forward = elementwise({
  name: "bias",
  reads: { x: "bulk", b: "small" },
  dims: {},
  once: "let shift = b(c);",
  value: (at) => `x(${at}) + shift`,
});

function demandFitting(x: Shaped, b: Shaped): void {
  const channels = x.shape.at(-1);
  if (b.shape.length === 1 && b.shape[0] === channels) return;
  throw new TypeError(
    `Cannot apply bias to an input of ${channels} channels: wanted a bias [${channels}], found ` +
      `[${b.shape}]`,
  );
}

/**
 * `bias(x, b)` is x + b, x `[..., channels]` and b `[channels]`. Raises a `TypeError` where b has
 * another number of channels.
 */
export const bias: Op<BiasAttributes> = {
  name: "bias",
  forward: (trace, [x, b]) => {
    demandFitting(x, b);
    const y = trace.tensor("bias", x.shape);
    trace.run(forward, { reads: { x, b }, writes: { y }, ...spread(y) });
    return [y];
  },
  // db = Σ dy over all that is not a channel.
  vjp: (trace, { wanted }, dy): Gradient[] => {
    const sums = (): Gradient => ({
      complete: true,
      write: (into: Tensor, accumulate) => recordPixelSums(trace, dy, into, accumulate),
    });
    return [wanted[0] ? dy : null, wanted[1] ? sums() : null];
  },
  reference: ([x, b]) => {
    demandFitting(x, b);
    return [{ shape: x.shape, data: x.data.map((v, i) => v + b.data[i % b.data.length]) }];
  },
  cases: [
    { inputs: [[1, 1], [1]], attributes: {} },
    { inputs: [[5, 13], [13]], attributes: {} },
    { inputs: [[2, 3, 5, 7], [7]], attributes: {} },
    { inputs: [[3, 9, 11, 36], [36]], attributes: {} },
    { inputs: [[1, 37, 61, 5], [5]], attributes: {} },
    { inputs: [[131, 65], [65]], attributes: {} },
  ],
};
