import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op, Values } from "../op.ts";
import { TURN } from "../wgsl/turn.ts";

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
    fill_0: "f32",
    fill_1: "f32",
    fill_2: "f32",
    fill_3: "f32",
    spread_0: "f32",
    spread_1: "f32",
    spread_2: "f32",
    spread_3: "f32",
  },
  // Four numbers, each with a turn.
  iterations: () => 4 * 4,
  wgsl: /* wgsl */ `
${TURN}
// PCG-RXS-M-XS (O'Neill 2014).
fn hash(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

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
  let fill = vec4f(dims.fill_0, dims.fill_1, dims.fill_2, dims.fill_3);
  let spread = vec4f(dims.spread_0, dims.spread_1, dims.spread_2, dims.spread_3);
  let key = hash(u32(numbers(2u * n + 1u).x)) + (i % pixels) * 8u;
  let noise = vec4f(normal(key), normal(key + 2u), normal(key + 4u), normal(key + 6u));
  set_y(i, fill + spread * noise);
}`,
});

function hash(v: number): number {
  const state = (Math.imul(v, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}

function normal(key: number): number {
  const u = ((hash(key) >>> 9) + 0.5) * 2 ** -23;
  const angle = ((hash((key + 1) >>> 0) >>> 9) + 0.5) * 2 ** -23;
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * angle);
}

interface Shaped {
  readonly shape: readonly number[];
}

function check([x, numbers]: readonly Shaped[], { fill, spread }: EraseAttributes): void {
  const [batch, , , channels] = x.shape;
  if (x.shape.length !== 4 || channels > 4) {
    throw new TypeError(
      `Cannot apply erase: wanted images [batch, height, width, 1 to 4 channels], found [${x.shape}]`,
    );
  }
  if (numbers.shape.join() !== `${batch},5`) {
    throw new TypeError(
      `Cannot apply erase: wanted numbers [${batch}, 5] of (y, x, height, width, seed), found ` +
        `[${numbers.shape}]`,
    );
  }
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
    const [fill, spread] = [attributes.fill, attributes.spread]
      .map((values) => (c: number) => values[c] ?? 0);
    const y = trace.tensor("erased", x.shape);
    trace.run(kernel, {
      reads: { x, numbers },
      writes: { y },
      dims: {
        ...{ batch, height, width },
        ...{ fill_0: fill(0), fill_1: fill(1), fill_2: fill(2), fill_3: fill(3) },
        spread_0: spread(0),
        spread_1: spread(1),
        spread_2: spread(2),
        spread_3: spread(3),
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
