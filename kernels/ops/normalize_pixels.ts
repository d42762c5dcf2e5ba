import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";

/** Attributes of normalising: one number for each channel. */
export interface NormalizePixelsAttributes {
  /** Mean of each channel, for values from 0 to 1. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel. */
  readonly std: readonly number[];
}

const kernel = defineKernel({
  name: "normalize pixels",
  workgroupSize: 64,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: {
    quads: "u32",
    scale_0: "f32",
    scale_1: "f32",
    scale_2: "f32",
    scale_3: "f32",
    shift_0: "f32",
    shift_1: "f32",
    shift_2: "f32",
    shift_3: "f32",
  },
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  if (i >= dims.quads) { return; }
  let scale = vec4f(dims.scale_0, dims.scale_1, dims.scale_2, dims.scale_3);
  let shift = vec4f(dims.shift_0, dims.shift_1, dims.shift_2, dims.shift_3);
  set_y(i, fma(x(i), scale, shift));
}`,
});

function check(shape: readonly number[], { mean, std }: NormalizePixelsAttributes): void {
  const channels = shape[3];
  if (shape.length !== 4 || channels > 4) {
    throw new TypeError(
      `Cannot apply normalize pixels: wanted images [batch, height, width, 1 to 4 channels], found ` +
        `[${shape}]`,
    );
  }
  if (mean.length !== channels || std.length !== channels) {
    throw new TypeError(
      `Cannot apply normalize pixels as the images have ${channels} channels: found ` +
        `${mean.length} means and ${std.length} standard deviations`,
    );
  }
  if (std.some((s) => !(s > 0))) {
    throw new RangeError(
      `Cannot apply normalize pixels: wanted standard deviations above 0, found [${std}]`,
    );
  }
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
    check(x.shape, attributes);
    const { mean, std } = attributes;
    const y = trace.tensor("normalized pixels", x.shape);
    const { quads } = y;
    const scale = (c: number): number => c < mean.length ? 1 / (255 * std[c]) : 0;
    const shift = (c: number): number => c < mean.length ? -mean[c] / std[c] : 0;
    trace.run(kernel, {
      reads: { x },
      writes: { y },
      dims: {
        quads,
        scale_0: scale(0),
        scale_1: scale(1),
        scale_2: scale(2),
        scale_3: scale(3),
        shift_0: shift(0),
        shift_1: shift(1),
        shift_2: shift(2),
        shift_3: shift(3),
      },
      workgroups: Math.ceil(quads / 64),
    });
    return [y];
  },
  vjp: "none",
  reference: ([{ shape, data }], attributes) => {
    check(shape, attributes);
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
