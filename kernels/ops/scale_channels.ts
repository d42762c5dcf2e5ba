import { elementwise, spread } from "../wgsl/elementwise.ts";
import type { Shaped } from "../wgsl/geometry.ts";
import { CHANNEL_QUADS } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import { recordProductSums } from "./product_sums.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import { vectorGradient } from "./vector_gradient.ts";

/** Scaling of channels has no attributes. */
export type ScaleChannelsAttributes = Readonly<Record<string, never>>;

const forward = elementwise({
  name: "scale channels",
  reads: { x: "bulk", g: "channel" },
  dims: {},
  once: "let factor = g(c);",
  value: (at) => `x(${at}) * factor`,
});

function checkShapes({ shape }: Shaped, g: Shaped): void {
  const channels = shape.at(-1) ?? 0;
  if (g.shape.length !== 1 || g.shape[0] !== channels) {
    throw new TypeError(
      `Cannot apply scale channels: the input has shape [${shape}] and the factors [${g.shape}]; ` +
        `wanted factors [${channels}]`,
    );
  }
  if (channels > CHANNEL_QUADS * 4) {
    throw new RangeError(
      `Cannot apply scale channels: wanted at most ${
        CHANNEL_QUADS * 4
      } channels, found ${channels}`,
    );
  }
}

function recordScaled(trace: Trace, name: string, x: Tensor, g: Tensor): Tensor {
  const y = trace.tensor(name, x.shape);
  trace.run(forward, { reads: { x, g }, writes: { y }, ...spread(y) });
  return y;
}

function on(shape: readonly number[]): Case<ScaleChannelsAttributes> {
  return { inputs: [shape, shape.slice(-1)], attributes: {} };
}

/** `scaleChannels(x, g)` is `x · g`, of any shape with channels last and factors `[channels]`. */
export const scaleChannels: Op<ScaleChannelsAttributes> = {
  name: "scale channels",
  forward: (trace, [x, g]) => {
    checkShapes(x, g);
    return [recordScaled(trace, "scale channels", x, g)];
  },
  // dx = dy · g and dg = Σ x · dy over all pixels.
  vjp: (trace, { inputs: [x, g], wanted }, dy) => [
    wanted[0] ? recordScaled(trace, "dscale channels", dy, g) : null,
    wanted[1] ? vectorGradient(trace, "scale channels", recordProductSums(trace, x, dy, 1)) : null,
  ],
  reference: ([x, g]) => {
    checkShapes(x, g);
    const [channels] = g.shape;
    return [{ shape: x.shape, data: x.data.map((v, i) => v * g.data[i % channels]) }];
  },
  cases: [[1], [65], [7, 17], [2, 3, 5, 7], [1, 23, 29, 20], [2, 131, 127, 3]].map(on),
};
