import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import { checkImages, type Shaped } from "./augmented_inputs.ts";
import {
  checkNormalizing,
  NORMALIZED,
  NORMALIZING,
  normalizing,
  type PixelNormalization,
} from "./pixel_bytes.ts";

/** Attributes of normalising: one number for each channel. */
export type NormalizePixelsAttributes = PixelNormalization;

const kernel = defineKernel({
  name: "normalize pixels",
  workgroupSize: 64,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: {
    quads: "u32",
    ...NORMALIZING,
  },
  wgsl: /* wgsl */ `
${NORMALIZED}fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  if (i >= dims.quads) { return; }
  set_y(i, normalized(x(i)));
}`,
});

function check(x: Shaped, attributes: NormalizePixelsAttributes): void {
  checkImages("normalize pixels", x, { channels: "1 to 4" });
  checkNormalizing("normalize pixels", attributes, { channels: x.shape[3] });
}

const example = (shape: readonly number[]): Case<NormalizePixelsAttributes> => ({
  inputs: [{
    shape,
    sample: (normal) => Math.min(Math.abs(normal()) * 100, 255),
    differentiable: false,
  }],
  attributes: {
    mean: [0.49, 0.48, 0.45, 0.5].slice(0, shape[3]),
    std: [0.25, 0.24, 0.26, 0.3].slice(0, shape[3]),
  },
});

/**
 * `normalizePixels(x)`: images `[batch, height, width, channels]` of 1 to 4 channels with values
 * from 0 to 255, as (x / 255 - mean) / std.
 */
export const normalizePixels: Op<NormalizePixelsAttributes> = {
  name: "normalize pixels",
  forward: (trace, [x], attributes) => {
    check(x, attributes);
    const y = trace.tensor("normalized pixels", x.shape);
    const { quads } = y;
    trace.run(kernel, {
      reads: { x },
      writes: { y },
      dims: {
        quads,
        ...normalizing(attributes),
      },
      workgroups: Math.ceil(quads / 64),
    });
    return [y];
  },
  vjp: "none",
  reference: ([x], attributes) => {
    check(x, attributes);
    const { shape, data } = x;
    const { mean, std } = attributes;
    const channels = mean.length;
    return [{
      shape,
      data: data.map((v, i) => (v / 255 - mean[i % channels]) / std[i % channels]),
    }];
  },
  cases: [
    example([1, 1, 1, 1]),
    example([2, 3, 5, 3]),
    example([3, 7, 5, 2]),
    example([2, 5, 3, 4]),
    example([5, 13, 11, 3]),
  ],
};
