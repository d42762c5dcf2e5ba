import { defineKernel } from "../gpu/kernel.ts";
import type { Op } from "../op.ts";

const kernel = defineKernel({
  name: "scale loss",
  workgroupSize: 1,
  reads: { weight: "channel", scaling: "channel" },
  writes: { y: "bulk" },
  dims: {},
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  set_y(0u, vec4f(weight(0u).x * scaling(0u).x, 0.0, 0.0, 0.0));
}`,
});

/**
 * `scaleLoss(weight, scaling)`: the gradient `[1]` that walking back begins with, `weight` `[1]`
 * times the scale of the loss, the first number of `scaling` `[4]`: gradients in half floats are so
 * far from underflow (arXiv 1710.03740). {@link guardStep} takes the scale off again, and adapts it.
 */
export const scaleLoss: Op = {
  name: "scale loss",
  forward: (trace, [weight, scaling]) => {
    if (weight.shape.join() !== "1" || scaling.shape.join() !== "4") {
      throw new TypeError(
        `Cannot scale a loss: wanted a weight [1] and a scale [4], found [${weight.shape}] and ` +
          `[${scaling.shape}]`,
      );
    }
    const y = trace.tensor("scaled loss gradient", [1]);
    trace.run(kernel, { reads: { weight, scaling }, writes: { y }, dims: {}, workgroups: 1 });
    return [y];
  },
  vjp: "none",
  reference: ([weight, scaling]) => [
    { shape: [1], data: Float64Array.of(weight.data[0] * scaling.data[0]) },
  ],
  cases: [{ inputs: [[1], [4]], attributes: {} }],
};
