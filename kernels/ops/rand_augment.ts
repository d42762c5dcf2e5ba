import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op, Values } from "../op.ts";
import { channelDims, channelValues, channelVector } from "../wgsl/channel_numbers.ts";
import { TURN } from "../wgsl/turn.ts";
import { checkAugmented, type Shaped } from "./augmented_inputs.ts";
import {
  blend,
  GREY_WGSL,
  greyByte,
  LAST_TABLE,
  NEARLY,
  type Operation,
  OPERATIONS,
  recordByteTables,
  tableOf,
} from "./byte_tables.ts";

export { type Operation, OPERATIONS } from "./byte_tables.ts";

/** Attributes of RandAugment. */
export interface RandAugmentAttributes {
  /** The value of each channel, from 0 to 255, that moved pictures have around them. */
  readonly fill: readonly number[];
}

const LANES = 64;

const kernel = defineKernel({
  name: "rand augment",
  workgroupSize: LANES,
  reads: { x: "bulk", numbers: "bulk", table: "bulk" },
  writes: { y: "bulk" },
  dims: {
    quads: "u32",
    height: "u32",
    width: "u32",
    channels: "u32",
    ...channelDims("fill"),
  },
  // A turn, or nine pixels around one.
  iterations: () => 20,
  wgsl: /* wgsl */ `
${GREY_WGSL}
${TURN}
fn pixel(n: u32, row: u32, column: u32) -> vec4f {
  return floor(x((n * dims.height + row) * dims.width + column) + 0.5);
}

// Pillow's SMOOTH: (sum over 3x3 + 4 · centre) / 13, rounded; pixels at the edge stay.
fn smooth_at(n: u32, row: u32, column: u32) -> vec4f {
  let center = pixel(n, row, column);
  if (row == 0u || column == 0u || row + 1u >= dims.height || column + 1u >= dims.width) {
    return center;
  }
  var sum = 4.0 * center;
  for (var dy = 0u; dy < 3u; dy++) {
    for (var dx = 0u; dx < 3u; dx++) { sum += pixel(n, row + dy - 1u, column + dx - 1u); }
  }
  return clamp(floor(sum / 13.0 + 0.5), vec4f(), vec4f(255.0));
}

fn blend4(from_value: vec4f, to_value: vec4f, factor: f32) -> vec4f {
  return clamp(
    floor(from_value + factor * (to_value - from_value) + ${NEARLY}), vec4f(), vec4f(255.0));
}

// The picture at a point where pixel k reaches from k to k + 1; the fill outside.
fn sample(n: u32, at: vec2f) -> vec4f {
  let size = vec2f(f32(dims.width), f32(dims.height));
  if (any(at < vec2f()) || any(at >= size)) {
    return ${channelVector("fill")};
  }
  let low = floor(at - 0.5);
  let part = at - 0.5 - low;
  let a = vec2u(clamp(low, vec2f(), size - 1.0));
  let b = vec2u(clamp(low + 1.0, vec2f(), size - 1.0));
  let top = mix(pixel(n, a.y, a.x), pixel(n, a.y, b.x), part.x);
  let bottom = mix(pixel(n, b.y, a.x), pixel(n, b.y, b.x), part.x);
  return floor(mix(top, bottom, part.y) + ${NEARLY});
}

// The point of the picture that is shown at another one.
fn moved(operation: u32, magnitude: f32, at: vec2f) -> vec2f {
  let size = vec2f(f32(dims.width), f32(dims.height));
  switch operation {
    case 11u: {
      let turned = turn(-radians(magnitude));
      let d = at - 0.5 * size;
      return 0.5 * size +
        vec2f(turned.x * d.x + turned.y * d.y, turned.x * d.y - turned.y * d.x);
    }
    case 12u: { return vec2f(at.x + magnitude * at.y, at.y); }
    case 13u: { return vec2f(at.x, at.y + magnitude * at.x); }
    case 14u: { return vec2f(at.x + magnitude * size.x, at.y); }
    default: { return vec2f(at.x, at.y + magnitude * size.y); }
  }
}

fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  if (i >= dims.quads) { return; }
  let column = i % dims.width;
  let row = (i / dims.width) % dims.height;
  let n = i / (dims.width * dims.height);
  let operation = u32(numbers(n).x);
  let magnitude = numbers(n).y;
  let own = pixel(n, row, column);
  var v = own;
  if (operation == 0u) {
    v = x(i);
  } else if (operation <= ${LAST_TABLE}u) {
    let bytes = vec4u(own);
    let first = n * 256u;
    v = vec4f(
      table(first + bytes.x).x, table(first + bytes.y).y,
      table(first + bytes.z).z, table(first + bytes.w).w);
  } else if (operation == 9u) {
    v = blend4(vec4f(f32(grey_of(vec4u(own)))), own, magnitude);
  } else if (operation == 10u) {
    v = blend4(smooth_at(n, row, column), own, magnitude);
  } else {
    v = sample(n, moved(operation, magnitude, vec2f(f32(column), f32(row)) + 0.5));
  }
  // What pads a pixel is zero.
  set_y(i, select(vec4f(), v, vec4u(0u, 1u, 2u, 3u) < vec4u(dims.channels)));
}`,
});

function check(inputs: readonly Shaped[], { fill }: RandAugmentAttributes): void {
  const names = ["operation", "magnitude"];
  checkAugmented("rand augment", inputs, { channels: "1 or 3", names });
  const channels = inputs[0].shape[3];
  if (fill.length !== channels) {
    throw new TypeError(
      `Cannot apply rand augment as the images have ${channels} channels: found ${fill.length} fills`,
    );
  }
}

/** A picture of whole numbers. */
interface Bytes {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float64Array;
}

function pixelOf({ width, channels, data }: Bytes, row: number, column: number): number[] {
  const at = (row * width + column) * channels;
  return Array.from(data.subarray(at, at + channels));
}

function smoothed(picture: Bytes, row: number, column: number): number[] {
  const center = pixelOf(picture, row, column);
  const { height, width } = picture;
  if (row === 0 || column === 0 || row + 1 >= height || column + 1 >= width) return center;
  const around = [-1, 0, 1].flatMap((dy) =>
    [-1, 0, 1].map((dx) => pixelOf(picture, row + dy, column + dx))
  );
  return center.map((v, c) =>
    Math.floor((4 * v + around.reduce((sum, w) => sum + w[c], 0)) / 13 + 0.5)
  );
}

function sampled(picture: Bytes, [x, y]: readonly [number, number], fill: readonly number[]) {
  const { height, width } = picture;
  if (x < 0 || y < 0 || x >= width || y >= height) return fill;
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [px, py] = [x - 0.5 - left, y - 0.5 - top];
  const at = (row: number, column: number): number[] =>
    pixelOf(
      picture,
      Math.min(Math.max(row, 0), height - 1),
      Math.min(Math.max(column, 0), width - 1),
    );
  const [a, b, c, d] = [at(top, left), at(top, left + 1), at(top + 1, left), at(top + 1, left + 1)];
  return a.map((_, k) =>
    Math.floor(
      (1 - py) * ((1 - px) * a[k] + px * b[k]) + py * ((1 - px) * c[k] + px * d[k]) + NEARLY,
    )
  );
}

function movedPoint(
  operation: Operation,
  magnitude: number,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): [number, number] {
  switch (operation) {
    case "Rotate": {
      const angle = -magnitude * Math.PI / 180;
      const [dx, dy] = [x - width / 2, y - height / 2];
      return [
        width / 2 + Math.cos(angle) * dx + Math.sin(angle) * dy,
        height / 2 + Math.cos(angle) * dy - Math.sin(angle) * dx,
      ];
    }
    case "ShearX":
      return [x + magnitude * y, y];
    case "ShearY":
      return [x, y + magnitude * x];
    case "TranslateXRel":
      return [x + magnitude * width, y];
    default:
      return [x, y + magnitude * height];
  }
}

/** A picture after an operation. */
function changed(
  picture: Bytes,
  operation: Operation,
  { magnitude, fill }: { readonly magnitude: number; readonly fill: readonly number[] },
): number[] {
  const { height, width, channels, data } = picture;
  const places = Array.from({ length: height * width }, (_, p) => ({
    row: Math.floor(p / width),
    column: p % width,
  }));
  const pixels = places.map(({ row, column }) => pixelOf(picture, row, column));
  if (OPERATIONS.indexOf(operation) <= LAST_TABLE) {
    const mean = Math.floor(pixels.reduce((sum, v) => sum + greyByte(v), 0) / pixels.length + 0.5);
    const tables = Array.from({ length: channels }, (_, c) => {
      const counts = new Array<number>(256).fill(0);
      for (const v of pixels) counts[v[c]]++;
      return tableOf(operation, magnitude, { counts, mean });
    });
    return Array.from(data, (v, i) => tables[i % channels][v]);
  }
  return places.flatMap(({ row, column }, p) => {
    const own = pixels[p];
    switch (operation) {
      case "Color":
        return own.map((v) => blend(greyByte(own), v, magnitude));
      case "Sharpness": {
        const smooth = smoothed(picture, row, column);
        return own.map((v, c) => blend(smooth[c], v, magnitude));
      }
      default: {
        const at = { x: column + 0.5, y: row + 0.5, width, height };
        return [...sampled(picture, movedPoint(operation, magnitude, at), fill)];
      }
    }
  });
}

function reference(
  [x, numbers]: readonly Values[],
  { fill }: RandAugmentAttributes,
): Values {
  const [batch, height, width, channels] = x.shape;
  const size = height * width * channels;
  const data = Float64Array.from(x.data);
  for (let n = 0; n < batch; n++) {
    const [number, magnitude] = numbers.data.subarray(n * 2, n * 2 + 2);
    const operation = OPERATIONS[number];
    if (operation === "Identity") continue;
    const bytes = x.data.subarray(n * size, (n + 1) * size).map((v) => Math.floor(v + 0.5));
    const picture = { height, width, channels, data: bytes };
    data.set(changed(picture, operation, { magnitude, fill }), n * size);
  }
  return { shape: x.shape, data };
}

const example = (
  [height, width, channels]: readonly [number, number, number],
  layers: readonly (readonly [Operation, number])[],
): Case<RandAugmentAttributes> => {
  const numbers = layers.flatMap(([operation, magnitude]) => [
    OPERATIONS.indexOf(operation),
    magnitude,
  ]);
  return {
    inputs: [
      {
        shape: [layers.length, height, width, channels],
        sample: (normal) => Math.floor(Math.min(40 + Math.abs(normal()) * 80, 250)),
        differentiable: false,
      },
      { shape: [layers.length, 2], sample: (_, i) => numbers[i], differentiable: false },
    ],
    attributes: { fill: [128, 127, 126].slice(0, channels) },
  };
};

/**
 * `randAugment(x, numbers)`: one operation of RandAugment (arXiv 1909.13719) for each image of
 * `[batch, height, width, channels]`, 1 or 3 channels, with values from 0 to 255 that are rounded to
 * bytes, as timm does it with Pillow. Numbers `[batch, 2]` are an index into {@link OPERATIONS} and
 * its magnitude: bits that are kept (Posterize), the byte from which on others are inverted
 * (Solarize), what is added below 128 (SolarizeAdd), the factor of an enhancement (Contrast,
 * Brightness, Color, Sharpness), degrees (Rotate), pixels by pixel (ShearX, ShearY), part of the
 * width or height (TranslateXRel, TranslateYRel). Moved pictures are sampled bilinearly.
 */
export const randAugment: Op<RandAugmentAttributes> = {
  name: "rand augment",
  forward: (trace, inputs, attributes) => {
    check(inputs, attributes);
    const [x, numbers] = inputs;
    const [, height, width, channels] = x.shape;
    const table = recordByteTables(trace, x, numbers);
    const y = trace.tensor("rand augmented", x.shape);
    const { quads } = y;
    trace.run(kernel, {
      reads: { x, numbers, table },
      writes: { y },
      dims: {
        ...{ quads, height, width, channels },
        ...channelValues("fill", attributes.fill),
      },
      workgroups: Math.ceil(quads / LANES),
    });
    return [y];
  },
  vjp: "none",
  reference: (inputs, attributes) => {
    check(inputs, attributes);
    return [reference(inputs, attributes)];
  },
  // Magnitudes keep samples from lying on whole numbers, where another rounding is another byte.
  cases: [
    example([1, 1, 1], [["Invert", 0]]),
    example([7, 5, 1], OPERATIONS.map((operation) => [operation, 0.69])),
    example([17, 19, 3], [
      ["AutoContrast", 0],
      ["Equalize", 0],
      ["Posterize", 3],
      ["Solarize", 97],
      ["SolarizeAdd", 61],
      ["Contrast", 1.63],
      ["Brightness", 0.37],
    ]),
    example([31, 13, 3], [
      ["Identity", 0],
      ["Color", 1.71],
      ["Sharpness", 0.23],
      ["Sharpness", 1.83],
      ["Rotate", 22.85],
      ["Rotate", -14.8],
      ["ShearX", 0.25],
      ["ShearY", -0.1875],
      ["TranslateXRel", 4.25 / 13],
      ["TranslateYRel", -12.75 / 31],
    ]),
    example([65, 63, 3], [["Equalize", 0], ["ShearX", 0.25]]),
  ],
};
