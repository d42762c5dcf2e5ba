import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op, Values } from "../op.ts";
import { checkAugmented, type Shaped } from "./augmented_inputs.ts";

const LANES = 64;

/** Rec. 601 weights of red, green and blue, as torchvision's. */
const GREY = [0.2989, 0.587, 0.114] as const;

const adjust = /* wgsl */ `
fn grey_of(v: vec4f) -> f32 {
  if (dims.channels < 3u) { return v.x; }
  return dot(v.xyz, vec3f(${GREY.join(", ")}));
}

// Hue in turns, saturation and value.
fn hsv_of(v: vec3f) -> vec3f {
  let most = max(v.x, max(v.y, v.z));
  let range = most - min(v.x, min(v.y, v.z));
  if (range <= 0.0) { return vec3f(0.0, 0.0, most); }
  let to_most = (vec3f(most) - v) / range;
  var hue = 4.0 + to_most.y - to_most.x;
  if (most == v.x) { hue = to_most.z - to_most.y; }
  else if (most == v.y) { hue = 2.0 + to_most.x - to_most.z; }
  return vec3f(fract(hue / 6.0 + 1.0), range / most, most);
}

fn rgb_of(hsv: vec3f) -> vec3f {
  let k = fract(vec3f(5.0, 3.0, 1.0) / 6.0 + hsv.x) * 6.0;
  return hsv.z * (1.0 - hsv.y * clamp(min(k, 4.0 - k), vec3f(), vec3f(1.0)));
}

// One of brightness, contrast, saturation, hue, in this order.
fn adjust(which: u32, v: vec4f, factors: vec4f, mean: f32) -> vec4f {
  switch which {
    case 0u: { return clamp(factors.x * v, vec4f(), vec4f(255.0)); }
    case 1u: { return clamp(mix(vec4f(mean), v, factors.y), vec4f(), vec4f(255.0)); }
    case 2u: { return clamp(mix(vec4f(grey_of(v)), v, factors.z), vec4f(), vec4f(255.0)); }
    default: {
      if (dims.channels < 3u || factors.w == 0.0) { return v; }
      let hsv = hsv_of(v.xyz);
      return vec4f(rgb_of(vec3f(fract(hsv.x + factors.w + 1.0), hsv.yz)), v.w);
    }
  }
}

// The digit of the order, in base 4, at a position from the left.
fn digit(order: f32, position: u32) -> u32 {
  return (u32(order) >> (2u * (3u - position))) & 3u;
}
`;

const means = defineKernel({
  name: "color jitter means",
  workgroupSize: LANES,
  reads: { x: "bulk", numbers: "bulk" },
  writes: { mean: "bulk" },
  dims: { pixels: "u32", channels: "u32" },
  // Pixels of a lane with four adjustments each, and the sum over lanes.
  iterations: ({ pixels }) => (Math.ceil(pixels / LANES) + 1) * 6 + 8,
  wgsl: /* wgsl */ `
${adjust}
var<workgroup> sums: array<f32, ${LANES}>;

fn main(workgroup: u32, lane: u32) {
  let factors = numbers(2u * workgroup);
  let order = numbers(2u * workgroup + 1u).x;
  var sum = 0.0;
  for (var p = lane; p < dims.pixels; p += ${LANES}u) {
    var v = x(workgroup * dims.pixels + p);
    // The mean is that of the picture which contrast meets.
    for (var position = 0u; position < 4u; position++) {
      let which = digit(order, position);
      if (which == 1u) { break; }
      v = adjust(which, v, factors, 0.0);
    }
    sum += grey_of(v);
  }
  workgroupBarrier();
  sums[lane] = sum;
  for (var half = ${LANES / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  workgroupBarrier();
  if (lane == 0u) { set_mean(workgroup, vec4f(sums[0] / f32(dims.pixels), 0.0, 0.0, 0.0)); }
}`,
});

const kernel = defineKernel({
  name: "color jitter",
  workgroupSize: LANES,
  reads: { x: "bulk", numbers: "bulk", mean: "bulk" },
  writes: { y: "bulk" },
  dims: { quads: "u32", pixels: "u32", channels: "u32" },
  iterations: () => 5,
  wgsl: /* wgsl */ `
${adjust}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  if (i >= dims.quads) { return; }
  let n = i / dims.pixels;
  let factors = numbers(2u * n);
  let order = numbers(2u * n + 1u).x;
  var v = x(i);
  for (var position = 0u; position < 4u; position++) {
    v = adjust(digit(order, position), v, factors, mean(n).x);
  }
  // What pads a pixel is zero.
  set_y(i, select(vec4f(v.x, 0.0, 0.0, 0.0), vec4f(v.xyz, 0.0), dims.channels == 3u));
}`,
});

function check(inputs: readonly Shaped[]): void {
  const names = ["brightness", "contrast", "saturation", "hue", "order"];
  checkAugmented("color jitter", inputs, { channels: "1 or 3", names });
}

const bounded = (v: number): number => Math.min(Math.max(v, 0), 255);

/** The grey value of a pixel. */
function greyOf(v: readonly number[]): number {
  return v.length === 1 ? v[0] : v[0] * GREY[0] + v[1] * GREY[1] + v[2] * GREY[2];
}

/** A pixel whose hue is turned by a part of a turn. */
function turned(v: readonly number[], by: number): number[] {
  const most = Math.max(...v);
  const range = most - Math.min(...v);
  if (range === 0) return [...v];
  const [r, g, b] = v.map((x) => (most - x) / range);
  const hue = most === v[0] ? b - g : most === v[1] ? 2 + r - b : 4 + g - r;
  const turn = hue / 6 + by + 2;
  return [5, 3, 1].map((offset) => {
    const k = (offset / 6 + turn) % 1 * 6;
    return most - range * Math.min(Math.max(Math.min(k, 4 - k), 0), 1);
  });
}

function adjusted(
  which: number,
  v: readonly number[],
  [brightness, contrast, saturation, hue]: ArrayLike<number> & Iterable<number>,
  mean: number,
): number[] {
  const blend = (x: number, with_: number, factor: number): number =>
    bounded(factor * x + (1 - factor) * with_);
  switch (which) {
    case 0:
      return v.map((x) => bounded(x * brightness));
    case 1:
      return v.map((x) => blend(x, mean, contrast));
    case 2:
      return v.map((x) => blend(x, greyOf(v), saturation));
    default:
      return v.length === 3 && hue !== 0 ? turned(v, hue) : [...v];
  }
}

function reference([x, numbers]: readonly Values[]): Values {
  const [batch, height, width, channels] = x.shape;
  const pixels = height * width;
  const data = new Float64Array(x.data.length);
  for (let n = 0; n < batch; n++) {
    const factors = numbers.data.subarray(n * 5, n * 5 + 4);
    const order = numbers.data[n * 5 + 4];
    let picture = Array.from({ length: pixels }, (_, p) => {
      const at = (n * pixels + p) * channels;
      return Array.from(x.data.subarray(at, at + channels));
    });
    for (let position = 0; position < 4; position++) {
      const which = Math.floor(order / 4 ** (3 - position)) % 4;
      const mean = picture.reduce((sum, v) => sum + greyOf(v), 0) / pixels;
      picture = picture.map((v) => adjusted(which, v, factors, mean));
    }
    data.set(picture.flat(), n * pixels * channels);
  }
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

/** Brightness, contrast, saturation, hue. */
const IN_ORDER = 0 * 64 + 1 * 16 + 2 * 4 + 3;
const HUE_FIRST = 3 * 64 + 2 * 16 + 1 * 4 + 0;

/**
 * `colorJitter(x, numbers)`: changes brightness, contrast, saturation and hue of images `[batch,
 * height, width, channels]`, 1 or 3 channels, with values from 0 to 255, as torchvision's ColorJitter
 * does. Numbers `[batch, 5]` are the factors of the first three, where 1 changes nothing, the turn of
 * the hue, where 0 changes nothing, and the order: four digits in base 4, the first operation first,
 * 0 to 3 for brightness, contrast, saturation and hue, so that 27 is that order. Contrast is around
 * the mean grey of the picture as it then is. Grey pictures have no saturation and no hue.
 */
export const colorJitter: Op = {
  name: "color jitter",
  forward: (trace, inputs) => {
    check(inputs);
    const [x, numbers] = inputs;
    const [batch, height, width, channels] = x.shape;
    const pixels = height * width;
    const mean = trace.tensor("mean grey", [batch, 1]);
    trace.run(means, {
      reads: { x, numbers },
      writes: { mean },
      dims: { pixels, channels },
      workgroups: batch,
    });
    const y = trace.tensor("jittered", x.shape);
    const { quads } = y;
    trace.run(kernel, {
      reads: { x, numbers, mean },
      writes: { y },
      dims: { quads, pixels, channels },
      workgroups: Math.ceil(quads / LANES),
    });
    return [y];
  },
  vjp: "none",
  reference: (inputs) => {
    check(inputs);
    return [reference(inputs)];
  },
  cases: [
    example([1, 1, 1, 1], [[1.2, 0.5, 0.3, 0.1, IN_ORDER]]),
    example([2, 5, 7, 3], [[1.3, 0.7, 1.4, 0, IN_ORDER], [0.6, 1.2, 0.5, 0, HUE_FIRST]]),
    example([3, 13, 11, 3], [
      [1, 1, 1, 0.21, IN_ORDER],
      [0.9, 1.3, 0.8, -0.37, HUE_FIRST],
      [1.1, 0.6, 1.7, 0.45, 1 * 64 + 3 * 16 + 0 * 4 + 2],
    ]),
    example([2, 17, 9, 1], [[1.4, 0.3, 5, 0.2, IN_ORDER], [0.7, 1.9, 0, 0, HUE_FIRST]]),
  ],
};
