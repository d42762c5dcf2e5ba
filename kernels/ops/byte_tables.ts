import { defineKernel } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/**
 * The operations of RandAugment by name; the index is the number that stands for one. The second to
 * the ninth change each byte by a table, the others look at more than one byte.
 */
export const OPERATIONS = [
  "Identity",
  "AutoContrast",
  "Equalize",
  "Invert",
  "Posterize",
  "Solarize",
  "SolarizeAdd",
  "Contrast",
  "Brightness",
  "Color",
  "Sharpness",
  "Rotate",
  "ShearX",
  "ShearY",
  "TranslateXRel",
  "TranslateYRel",
] as const;

/** One of {@link OPERATIONS}. */
export type Operation = typeof OPERATIONS[number];

/** The last operation that is a table. */
export const LAST_TABLE = 8;

/**
 * Added before a fraction is cut off: what is a whole number but for rounding stays one, in single
 * and in double precision.
 */
export const NEARLY = 2 ** -10;

const LANES = 64;

// Pillow's grey: 16 bits of Rec. 601's weights, rounded.
export const GREY_WGSL: string = /* wgsl */ `
fn grey_of(v: vec4u) -> u32 {
  if (dims.channels < 3u) { return v.x; }
  return (v.x * 19595u + v.y * 38470u + v.z * 7471u + 0x8000u) >> 16u;
}
fn blend(from_value: f32, to_value: f32, factor: f32) -> f32 {
  return clamp(floor(from_value + factor * (to_value - from_value) + ${NEARLY}), 0.0, 255.0);
}
`;

/** The grey value of a pixel of whole numbers, as Pillow's. */
export function greyByte(v: ArrayLike<number>): number {
  if (v.length < 3) return v[0];
  return Math.floor((v[0] * 19595 + v[1] * 38470 + v[2] * 7471 + 0x8000) / 65536);
}

/** Two bytes blended as Pillow does: what is left of a fraction is cut off. */
export function blend(from: number, to: number, factor: number): number {
  return Math.min(Math.max(Math.floor(from + factor * (to - from) + NEARLY), 0), 255);
}

const kernel = defineKernel({
  name: "byte tables",
  workgroupSize: LANES,
  reads: { x: "bulk", numbers: "bulk" },
  writes: { table: "bulk" },
  dims: { pixels: "u32", channels: "u32" },
  // The pixels of a lane; 16 to clear, 256 bytes to sum up, 4 entries of up to 4 channels each.
  iterations: ({ pixels }) => Math.ceil(pixels / LANES) + 16 + 256 + 4 * 5 + 16,
  wgsl: /* wgsl */ `
${GREY_WGSL}
// How often each byte of a channel occurs, then how many bytes are below it.
var<workgroup> counts: array<atomic<u32>, 1024>;
// Of each channel the least and the greatest byte, and how many there are to a step of equalizing.
var<workgroup> spans: array<vec3u, 4>;
var<workgroup> grey_sum: atomic<u32>;

fn sum_up(channel: u32) {
  var span = vec3u(255u, 0u, 0u);
  var below = 0u;
  for (var k = 0u; k < 256u; k++) {
    let found = atomicLoad(&counts[channel * 256u + k]);
    atomicStore(&counts[channel * 256u + k], below);
    // The greatest byte does not count.
    if (found > 0u) { span = vec3u(min(span.x, k), k, below / 255u); }
    below += found;
  }
  spans[channel] = span;
}

fn auto_contrast(channel: u32, value: u32) -> u32 {
  let span = spans[channel];
  if (span.y <= span.x) { return value; }
  return (clamp(value, span.x, span.y) - span.x) * 255u / (span.y - span.x);
}

fn equalize(channel: u32, value: u32) -> u32 {
  let step = spans[channel].z;
  if (step == 0u) { return value; }
  return min((step / 2u + atomicLoad(&counts[channel * 256u + value])) / step, 255u);
}

fn main(workgroup: u32, lane: u32) {
  let n = workgroup;
  let operation = u32(numbers(n).x);
  let magnitude = numbers(n).y;
  for (var k = lane; k < 1024u; k += ${LANES}u) { atomicStore(&counts[k], 0u); }
  if (lane == 0u) { atomicStore(&grey_sum, 0u); }
  workgroupBarrier();
  let counted = operation == 1u || operation == 2u;
  let end = select(0u, dims.pixels, counted || operation == 7u);
  var sum = 0u;
  for (var p = lane; p < end; p += ${LANES}u) {
    let v = vec4u(floor(x(n * dims.pixels + p) + 0.5));
    sum += grey_of(v);
    if (!counted) { continue; }
    atomicAdd(&counts[v.x], 1u);
    atomicAdd(&counts[256u + v.y], 1u);
    atomicAdd(&counts[512u + v.z], 1u);
    atomicAdd(&counts[768u + v.w], 1u);
  }
  atomicAdd(&grey_sum, sum);
  workgroupBarrier();
  if (counted && lane < dims.channels) { sum_up(lane); }
  workgroupBarrier();
  let mean = f32((2u * atomicLoad(&grey_sum) + dims.pixels) / (2u * dims.pixels));
  for (var value = lane; value < 256u; value += ${LANES}u) {
    var entry = vec4f();
    for (var c = 0u; c < dims.channels; c++) {
      var y = f32(value);
      switch operation {
        case 1u: { y = f32(auto_contrast(c, value)); }
        case 2u: { y = f32(equalize(c, value)); }
        case 3u: { y = 255.0 - y; }
        case 4u: { y = f32(value & ~((1u << (8u - min(u32(magnitude), 8u))) - 1u)); }
        case 5u: { y = select(255.0 - y, y, y < magnitude); }
        case 6u: { y = select(y, min(y + floor(magnitude), 255.0), value < 128u); }
        case 7u: { y = blend(mean, y, magnitude); }
        case 8u: { y = blend(0.0, y, magnitude); }
        default: {}
      }
      entry[c] = y;
    }
    set_table(n * 256u + value, entry);
  }
  workgroupBarrier();
}`,
});

/**
 * Records the tables of images `[batch, height, width, channels]`: for each, what its operation
 * makes of each byte, `[batch, 256, channels]`. Numbers are `[batch, 2]`: operation and magnitude.
 */
export function recordByteTables(trace: Trace, x: Tensor, numbers: Tensor): Tensor {
  const [batch, height, width, channels] = x.shape;
  const table = trace.tensor("byte tables", [batch, 256, channels]);
  trace.run(kernel, {
    reads: { x, numbers },
    writes: { table },
    dims: { pixels: height * width, channels },
    workgroups: batch,
  });
  return table;
}

/** What an operation that is a table makes of the bytes of a channel; `mean` is that of the grey. */
export function tableOf(
  operation: Operation,
  magnitude: number,
  { counts, mean }: { readonly counts: readonly number[]; readonly mean: number },
): number[] {
  const bytes = Array.from({ length: 256 }, (_, value) => value);
  const present = bytes.filter((value) => counts[value] > 0);
  switch (operation) {
    case "AutoContrast": {
      const [least, most] = [present[0], present[present.length - 1]];
      if (most <= least) return bytes;
      return bytes.map((v) =>
        Math.floor((Math.min(Math.max(v, least), most) - least) * 255 / (most - least))
      );
    }
    case "Equalize": {
      const total = counts.reduce((a, b) => a + b, 0);
      const step = Math.floor((total - counts[present[present.length - 1]]) / 255);
      if (step === 0) return bytes;
      let below = Math.floor(step / 2);
      return bytes.map((value) => {
        const found = Math.min(Math.floor(below / step), 255);
        below += counts[value];
        return found;
      });
    }
    case "Invert":
      return bytes.map((v) => 255 - v);
    case "Posterize": {
      const lost = 2 ** (8 - Math.min(Math.floor(magnitude), 8));
      return bytes.map((v) => v - v % lost);
    }
    case "Solarize":
      return bytes.map((v) => v < magnitude ? v : 255 - v);
    case "SolarizeAdd":
      return bytes.map((v) => v < 128 ? Math.min(v + Math.floor(magnitude), 255) : v);
    case "Contrast":
      return bytes.map((v) => blend(mean, v, magnitude));
    case "Brightness":
      return bytes.map((v) => blend(0, v, magnitude));
    default:
      return bytes;
  }
}
