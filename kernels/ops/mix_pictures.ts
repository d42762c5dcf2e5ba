import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op, Values } from "../op.ts";
import { checkAugmented, type Shaped } from "./augmented_inputs.ts";

const kernel = defineKernel({
  name: "mix pictures",
  workgroupSize: 64,
  reads: { x: "bulk", numbers: "bulk" },
  writes: { y: "bulk" },
  dims: { batch: "u32", height: "u32", width: "u32" },
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let pixels = dims.height * dims.width;
  let n = i / pixels;
  if (n >= dims.batch) { return; }
  let column = f32(i % dims.width);
  let row = f32((i / dims.width) % dims.height);
  let head = numbers(2u * n);
  let box_width = numbers(2u * n + 1u).x;
  let partner = (dims.batch - 1u - n) * pixels + i % pixels;
  if (head.w > 0.0) {
    let inside = row >= head.y && row < head.y + head.w &&
      column >= head.z && column < head.z + box_width;
    set_y(i, select(x(i), x(partner), inside));
    return;
  }
  set_y(i, x(partner) + head.x * (x(i) - x(partner)));
}`,
});

function check(inputs: readonly Shaped[]): void {
  const names = ["share", "y", "x", "height", "width"];
  checkAugmented("mix pictures", inputs, { channels: "1 to 4", names });
}

function reference([x, numbers]: readonly Values[]): Values {
  const [batch, height, width, channels] = x.shape;
  const size = height * width * channels;
  const data = Float64Array.from(x.data, (own, i) => {
    const n = Math.floor(i / size);
    const [share, top, left, boxHeight, boxWidth] = numbers.data.subarray(n * 5, n * 5 + 5);
    const partner = x.data[(batch - 1 - n) * size + i % size];
    if (boxHeight === 0) return share * own + (1 - share) * partner;
    const column = Math.floor(i / channels) % width;
    const row = Math.floor(i / channels / width) % height;
    const inside = row >= top && row < top + boxHeight && column >= left &&
      column < left + boxWidth;
    return inside ? partner : own;
  });
  return { shape: x.shape, data };
}

const example = (
  shape: readonly number[],
  numbers: readonly (readonly [number, number, number, number, number])[],
): Case<object> => ({
  inputs: [
    { shape, sample: (normal) => Math.min(Math.abs(normal()) * 100, 255), differentiable: false },
    { shape: [numbers.length, 5], sample: (_, i) => numbers.flat()[i], differentiable: false },
  ],
  attributes: {},
});

/**
 * `mixPictures(x, numbers)`: lays each image of `[batch, height, width, channels]`, 1 to 4 channels,
 * over its partner, the image in the mirrored row of the batch. Numbers `[batch, 5]` are (share, y,
 * x, height, width): without a height, share · image + (1 - share) · partner (mixup, arXiv
 * 1710.09412); with one, the partner's pixels in that box and the image's own around it (CutMix,
 * arXiv 1905.04899), where the share is the business of the loss.
 */
export const mixPictures: Op = {
  name: "mix pictures",
  forward: (trace, inputs) => {
    check(inputs);
    const [x, numbers] = inputs;
    const [batch, height, width] = x.shape;
    const y = trace.tensor("mixed pictures", x.shape);
    trace.run(kernel, {
      reads: { x, numbers },
      writes: { y },
      dims: { batch, height, width },
      workgroups: Math.ceil(y.quads / 64),
    });
    return [y];
  },
  vjp: "none",
  reference: (inputs) => {
    check(inputs);
    return [reference(inputs)];
  },
  cases: [
    example([1, 1, 1, 1], [[0.25, 0, 0, 0, 0]]),
    example([3, 5, 7, 3], [[0.7, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0.7, 0, 0, 0, 0]]),
    example([4, 7, 5, 3], [[0.8, 1, 2, 3, 2], [0.8, 0, 0, 7, 5], [0.3, 6, 4, 1, 1], [
      1,
      0,
      0,
      0,
      0,
    ]]),
    example([2, 9, 11, 1], [[0.5, 2, 0, 5, 11], [0.5, 0, 0, 0, 0]]),
    example([2, 3, 65, 4], [[0.1, 0, 60, 2, 5], [0.9, 1, 1, 1, 1]]),
  ],
};
