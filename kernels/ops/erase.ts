import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op, Values } from "../op.ts";
import { channelDims, channelValues, channelVector } from "../wgsl/channel_numbers.ts";
import { HASH, hash } from "../wgsl/hash.ts";
import { TURN } from "../wgsl/turn.ts";
import { checkAugmented, type Shaped } from "./augmented_inputs.ts";

/** Attributes of erasing, one number for each channel, for values from 0 to 255. */
export interface EraseAttributes {
  /** The mean of what a box is filled with. */
  readonly fill: readonly number[];
  /** Its standard deviation: 0 for one colour, above it for noise in each pixel. */
  readonly spread: readonly number[];
}

const kernel = defineKernel({
  name: "erase",
  workgroupSize: 64,
  reads: { x: "bulk", numbers: "bulk" },
  writes: { y: "bulk" },
  dims: {
    batch: "u32",
    height: "u32",
    width: "u32",
    ...channelDims("fill"),
    ...channelDims("spread"),
  },
  // Four numbers, each with a turn.
  iterations: () => 4 * 4,
  wgsl: /* wgsl */ `
${TURN}
${HASH}
// Box and Muller's normal number, from 23 bits for each of its two uniform ones.
fn normal(key: u32) -> f32 {
  let bits = hash(key) >> 9u;
  let u = (f32(bits) + 0.5) * 0x1p-23;
  // The logarithm is imprecise where u is near 1.
  let v = (f32(0x7fffffu - bits) + 0.5) * 0x1p-23;
  let radius = sqrt(2.0 * select(-log(u), v * (1.0 + v * (0.5 + v / 3.0)), v < 0.01));
  return radius * turn(6.283185307179586 * (f32(hash(key + 1u) >> 9u) + 0.5) * 0x1p-23).x;
}

fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let pixels = dims.height * dims.width;
  let n = i / pixels;
  if (n >= dims.batch) { return; }
  let column = f32(i % dims.width);
  let row = f32((i / dims.width) % dims.height);
  let box = numbers(2u * n);
  let inside = row >= box.x && row < box.x + box.z && column >= box.y && column < box.y + box.w;
  if (!inside) {
    set_y(i, x(i));
    return;
  }
  let fill = ${channelVector("fill")};
  let spread = ${channelVector("spread")};
  let key = hash(u32(numbers(2u * n + 1u).x)) + (i % pixels) * 8u;
  let noise = vec4f(normal(key), normal(key + 2u), normal(key + 4u), normal(key + 6u));
  set_y(i, fill + spread * noise);
}`,
});

function normal(key: number): number {
  const u = ((hash(key) >>> 9) + 0.5) * 2 ** -23;
  const angle = ((hash((key + 1) >>> 0) >>> 9) + 0.5) * 2 ** -23;
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * angle);
}

function check(inputs: readonly Shaped[], { fill, spread }: EraseAttributes): void {
  const names = ["y", "x", "height", "width", "seed"];
  checkAugmented("erase", inputs, { channels: "1 to 4", names });
  const channels = inputs[0].shape[3];
  if (fill.length !== channels || spread.length !== channels) {
    throw new TypeError(
      `Cannot apply erase as the images have ${channels} channels: found ${fill.length} fills and ` +
        `${spread.length} spreads`,
    );
  }
  if (spread.some((s) => !(s >= 0))) {
    throw new RangeError(`Cannot apply erase: wanted spreads from 0 on, found [${spread}]`);
  }
}

function reference([x, numbers]: readonly Values[], { fill, spread }: EraseAttributes): Values {
  const [, height, width, channels] = x.shape;
  const size = height * width * channels;
  const data = Float64Array.from(x.data, (own, i) => {
    const n = Math.floor(i / size);
    const [top, left, boxHeight, boxWidth, seed] = numbers.data.subarray(n * 5, n * 5 + 5);
    const pixel = Math.floor(i % size / channels);
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    const inside = row >= top && row < top + boxHeight && column >= left &&
      column < left + boxWidth;
    if (!inside) return own;
    const c = i % channels;
    return fill[c] + spread[c] * normal((hash(seed) + pixel * 8 + 2 * c) >>> 0);
  });
  return { shape: x.shape, data };
}

const example = (
  shape: readonly number[],
  numbers: readonly (readonly [number, number, number, number, number])[],
  spread: readonly number[] = [0, 0, 0, 0],
): Case<EraseAttributes> => ({
  inputs: [
    { shape, sample: (normal) => Math.min(Math.abs(normal()) * 100, 255), differentiable: false },
    { shape: [numbers.length, 5], sample: (_, i) => numbers.flat()[i], differentiable: false },
  ],
  attributes: {
    fill: [125, 122, 114, 9].slice(0, shape[3]),
    spread: spread.slice(0, shape[3]),
  },
});

/**
 * `erase(x, numbers)`: fills a box of each image of `[batch, height, width, channels]`, 1 to 4
 * channels (random erasing, arXiv 1708.04896). Numbers `[batch, 5]` are (y, x, height, width, seed);
 * a box without height or width erases nothing. Pixels become fill + spread · noise, where the noise
 * is normal, of its own for each pixel and channel, and fixed by the seed, a whole number below 2^24.
 */
export const erase: Op<EraseAttributes> = {
  name: "erase",
  forward: (trace, inputs, attributes) => {
    check(inputs, attributes);
    const [x, numbers] = inputs;
    const [batch, height, width] = x.shape;
    const y = trace.tensor("erased", x.shape);
    trace.run(kernel, {
      reads: { x, numbers },
      writes: { y },
      dims: {
        ...{ batch, height, width },
        ...channelValues("fill", attributes.fill),
        ...channelValues("spread", attributes.spread),
      },
      workgroups: Math.ceil(y.quads / 64),
    });
    return [y];
  },
  vjp: "none",
  reference: (inputs, attributes) => {
    check(inputs, attributes);
    return [reference(inputs, attributes)];
  },
  cases: [
    example([1, 1, 1, 1], [[0, 0, 1, 1, 0]]),
    example([3, 5, 7, 3], [[1, 2, 3, 4, 1], [0, 0, 0, 0, 2], [4, 6, 1, 1, 3]]),
    example([2, 13, 11, 3], [[0, 0, 13, 11, 16_777_215], [3, 1, 8, 9, 5]], [60, 50, 40]),
    example([1, 65, 3, 1], [[1, 1, 60, 2, 77]], [30]),
    example([2, 9, 10, 4], [[2, 2, 5, 5, 8], [2, 2, 5, 5, 9]], [10, 20, 30, 40]),
  ],
};
