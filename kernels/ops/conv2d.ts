import { inputGradient, recordForward } from "../conv/convolution.ts";
import { weightGradient } from "../conv/weight_gradient.ts";
import { type Geometry, geometry, groupOf, type Shaped, type Sides } from "../wgsl/geometry.ts";
import type { Case, Gradient, Op, Values } from "../op.ts";
import { elements, type Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** Attributes of a convolution. */
export interface Conv2dAttributes {
  /** Pixels from one window to the next, from 1 on. */
  readonly stride: Sides;
  /** Zeros above and below the image, and left and right of it. */
  readonly padding: Sides;
  /** Pixels from one tap to the next, from 1 on. Default: 1. */
  readonly dilation?: Sides;
  /** The spatial mask: for each tap of the kernel, row by row, whether it is kept. Default: all. */
  readonly keptTaps?: readonly boolean[];
  /**
   * Groups of channels, which divide inputs and outputs: the n-th group of outputs is made of the
   * n-th of inputs. As many groups as inputs make the convolution depthwise. Default: 1.
   */
  readonly groups?: number;
}

/** Attributes of a masked convolution. */
export interface MaskedConv2dAttributes extends Omit<Conv2dAttributes, "groups"> {
  /** Filters that are kept: the first `keepOut`. */
  readonly keepOut: number;
}

function forward(trace: Trace, g: Geometry, x: Tensor, w: Tensor): Tensor[] {
  const y = trace.tensor(g.name, [g.batch, g.outHeight, g.outWidth, g.keepOut]);
  recordForward(trace, g, { x, w, y });
  return [y];
}

function gradients(
  trace: Trace,
  g: Geometry,
  { x, w, dy, wanted }: { x: Tensor; w: Tensor; dy: Tensor; wanted: readonly boolean[] },
): Gradient[] {
  return [
    wanted[0] ? inputGradient(trace, g, dy, w) : null,
    wanted[1] ? weightGradient(trace, g, { x, dy }) : null,
  ];
}

/** Σ over taps and the input channels of a group, as in the definition. */
function reference(g: Geometry, x: Values, w: Values): Values {
  const shape = [g.batch, g.outHeight, g.outWidth, g.keepOut];
  const data = new Float64Array(elements(shape));
  const { inputs, outputs } = groupOf(g);
  let at = 0;
  for (let n = 0; n < g.batch; n++) {
    for (let a = 0; a < g.outHeight; a++) {
      for (let b = 0; b < g.outWidth; b++, at += g.keepOut) {
        for (let tap = 0; tap < g.kernelHeight * g.kernelWidth; tap++) {
          const bits = tap < 32 ? g.tapBits.taps_low : g.tapBits.taps_high;
          const [s, t] = [Math.floor(tap / g.kernelWidth), tap % g.kernelWidth];
          const row = a * g.stride[0] + s * g.dilation[0] - g.padding[0];
          const column = b * g.stride[1] + t * g.dilation[1] - g.padding[1];
          const inside = row >= 0 && row < g.height && column >= 0 && column < g.width;
          if (!inside || !(Math.floor(bits / 2 ** (tap % 32)) & 1)) continue;
          const pixel = ((n * g.height + row) * g.width + column) * g.keepIn;
          for (let i = 0; i < g.keepIn; i++) {
            const group = Math.floor(i / inputs);
            const from = (tap * g.filterIn + i % inputs) * g.filterOut;
            for (let o = group * outputs; o < (group + 1) * outputs; o++) {
              data[at + o] += x.data[pixel + i] * w.data[from + o];
            }
          }
        }
      }
    }
  }
  return { shape, data };
}

const RECTANGULAR: readonly Case<Conv2dAttributes>[] = [
  { inputs: [[2, 9, 7, 6], [3, 1, 6, 9]], attributes: { stride: [2, 1], padding: [1, 0] } },
  { inputs: [[1, 6, 13, 3], [2, 5, 3, 7]], attributes: { stride: [1, 3], padding: [0, 2] } },
  { inputs: [[2, 8, 8, 5], [1, 7, 5, 20]], attributes: { stride: 1, padding: [0, 3] } },
  { inputs: [[1, 9, 8, 3], [3, 3, 3, 5]], attributes: { stride: 1, padding: 2, dilation: 2 } },
  {
    inputs: [[2, 11, 7, 17], [3, 2, 17, 6]],
    attributes: { stride: [1, 2], padding: [3, 1], dilation: [3, 1] },
  },
  {
    inputs: [[1, 11, 12, 5], [3, 3, 5, 6]],
    attributes: { stride: 2, padding: [2, 1], dilation: [2, 3] },
  },
  {
    inputs: [[1, 13, 9, 3], [3, 3, 3, 4]],
    attributes: { stride: [3, 2], padding: 4, dilation: [2, 4] },
  },
  {
    inputs: [[1, 6, 9, 4], [3, 3, 4, 6]],
    attributes: {
      stride: 2,
      padding: 2,
      dilation: 2,
      keptTaps: [true, true, false, false, true, true, true, false, true],
    },
  },
];

const GROUPED: readonly Case<Conv2dAttributes>[] = [
  // Depthwise.
  { inputs: [[2, 9, 7, 5], [3, 3, 1, 5]], attributes: { stride: 1, padding: 1, groups: 5 } },
  { inputs: [[2, 9, 8, 8], [3, 3, 1, 8]], attributes: { stride: 2, padding: 1, groups: 8 } },
  { inputs: [[3, 7, 11, 36], [5, 5, 1, 36]], attributes: { stride: 2, padding: 2, groups: 36 } },
  { inputs: [[1, 9, 13, 7], [7, 7, 1, 7]], attributes: { stride: 1, padding: 3, groups: 7 } },
  { inputs: [[2, 8, 9, 3], [2, 3, 1, 3]], attributes: { stride: [3, 1], padding: 0, groups: 3 } },
  { inputs: [[2, 5, 9, 9], [1, 1, 1, 9]], attributes: { stride: 2, padding: 0, groups: 9 } },
  {
    inputs: [[1, 12, 9, 6], [3, 3, 1, 6]],
    attributes: { stride: 1, padding: [2, 3], dilation: [2, 3], groups: 6 },
  },
  {
    inputs: [[1, 13, 9, 6], [3, 3, 1, 6]],
    attributes: { stride: 2, padding: [2, 0], dilation: [2, 1], groups: 6 },
  },
  {
    inputs: [[1, 40, 35, 3], [3, 3, 1, 3]],
    attributes: { stride: 1, padding: 12, dilation: 12, groups: 3 },
  },
  {
    inputs: [[2, 8, 6, 5], [3, 3, 1, 5]],
    attributes: {
      stride: 2,
      padding: 1,
      groups: 5,
      keptTaps: [true, true, false, false, true, true, true, false, true],
    },
  },
  // Depthwise, with several outputs to an input.
  { inputs: [[2, 7, 6, 5], [3, 3, 1, 10]], attributes: { stride: 1, padding: 1, groups: 5 } },
  { inputs: [[1, 8, 9, 3], [3, 3, 1, 9]], attributes: { stride: 2, padding: 1, groups: 3 } },
  { inputs: [[1, 6, 5, 6], [3, 3, 1, 24]], attributes: { stride: 1, padding: 1, groups: 6 } },
  { inputs: [[1, 6, 5, 2], [3, 3, 1, 14]], attributes: { stride: 2, padding: 1, groups: 2 } },
  // Groups of whole vec4.
  { inputs: [[2, 7, 6, 16], [3, 3, 4, 16]], attributes: { stride: 1, padding: 1, groups: 4 } },
  { inputs: [[2, 9, 6, 24], [3, 3, 8, 36]], attributes: { stride: 2, padding: 1, groups: 3 } },
  { inputs: [[1, 5, 6, 128], [1, 1, 64, 128]], attributes: { stride: 1, padding: 0, groups: 2 } },
  {
    inputs: [[1, 9, 8, 32], [3, 3, 16, 24]],
    attributes: { stride: 1, padding: [2, 1], dilation: [2, 1], groups: 2 },
  },
  {
    inputs: [[1, 9, 8, 8], [3, 3, 4, 16]],
    attributes: { stride: 2, padding: 2, dilation: 2, groups: 2 },
  },
  // Groups of other sizes.
  { inputs: [[2, 7, 6, 6], [3, 3, 2, 9]], attributes: { stride: 1, padding: 1, groups: 3 } },
  { inputs: [[1, 8, 7, 10], [3, 2, 5, 6]], attributes: { stride: [2, 1], padding: 1, groups: 2 } },
  { inputs: [[2, 5, 5, 6], [1, 1, 3, 8]], attributes: { stride: 1, padding: 0, groups: 2 } },
];

function conv2dGeometry(x: Shaped, w: Shaped, attributes: Conv2dAttributes): Geometry {
  const g = geometry("conv2d", x, w, attributes);
  const { groups, filterIn, keepIn } = g;
  if (filterIn * groups !== keepIn) {
    const found = groups === 1 ? "" : ` in each of ${groups} groups, ${filterIn * groups} in all`;
    throw new TypeError(
      `Cannot apply conv2d as the filter has ${filterIn} input channels${found}: the input has ` +
        `${keepIn}`,
    );
  }
  return g;
}

/**
 * `conv2d(x, w)`: x `[batch, height, width, inputs]`, w `[height, width, inputs / groups, outputs]`,
 * no bias. Raises a `TypeError` when the channels differ, a `RangeError` when the filter does not
 * fit or the groups do not divide the channels.
 */
export const conv2d: Op<Conv2dAttributes> = {
  name: "conv2d",
  forward: (trace, [x, w], attributes) => forward(trace, conv2dGeometry(x, w, attributes), x, w),
  vjp: (trace, { inputs: [x, w], attributes, wanted }, dy) =>
    gradients(trace, conv2dGeometry(x, w, attributes), { x, w, dy, wanted }),
  reference: ([x, w], attributes) => [reference(conv2dGeometry(x, w, attributes), x, w)],
  cases: [
    { inputs: [[1, 1, 1, 1], [1, 1, 1, 1]], attributes: { stride: 1, padding: 0 } },
    { inputs: [[2, 9, 7, 3], [3, 3, 3, 5]], attributes: { stride: 1, padding: 1 } },
    { inputs: [[3, 8, 8, 4], [3, 3, 4, 6]], attributes: { stride: 2, padding: 1 } },
    { inputs: [[1, 5, 5, 17], [1, 1, 17, 33]], attributes: { stride: 1, padding: 0 } },
    { inputs: [[2, 11, 11, 8], [1, 1, 8, 12]], attributes: { stride: 2, padding: 0 } },
    { inputs: [[1, 13, 9, 2], [5, 5, 2, 3]], attributes: { stride: 1, padding: 2 } },
    { inputs: [[1, 20, 19, 3], [7, 7, 3, 8]], attributes: { stride: 2, padding: 3 } },
    { inputs: [[2, 7, 6, 20], [3, 3, 20, 64]], attributes: { stride: 1, padding: 0 } },
    { inputs: [[1, 6, 7, 65], [3, 3, 65, 13]], attributes: { stride: 1, padding: 2 } },
    { inputs: [[1, 10, 11, 5], [5, 5, 5, 7]], attributes: { stride: 2, padding: 1 } },
    { inputs: [[2, 9, 10, 6], [3, 3, 6, 4]], attributes: { stride: 3, padding: 1 } },
    { inputs: [[3, 2, 2, 63], [3, 3, 63, 36]], attributes: { stride: 2, padding: 1 } },
    { inputs: [[2, 5, 6, 32], [3, 3, 32, 40]], attributes: { stride: 1, padding: 1 } },
    { inputs: [[3, 7, 9, 1], [3, 3, 1, 19]], attributes: { stride: 1, padding: 1 } },
    { inputs: [[1, 5, 12, 3], [1, 9, 3, 5]], attributes: { stride: 1, padding: 4 } },
    { inputs: [[1, 3, 3, 4], [7, 7, 4, 4]], attributes: { stride: 1, padding: 3 } },
    { inputs: [[2, 8, 6, 3], [3, 3, 3, 5]], attributes: { stride: 2, padding: 1 } },
    { inputs: [[2, 8, 7, 5], [2, 1, 5, 6]], attributes: { stride: 3, padding: 0 } },
    { inputs: [[2, 6, 9, 2], [5, 4, 2, 7]], attributes: { stride: 3, padding: 2 } },
    { inputs: [[3, 2, 1, 5], [1, 1, 5, 4]], attributes: { stride: 3, padding: 0 } },
    { inputs: [[2, 6, 9, 3], [4, 4, 3, 5]], attributes: { stride: 3, padding: 1 } },
    ...RECTANGULAR,
    ...GROUPED,
  ],
};

function maskedGeometry(x: Shaped, w: Shaped, attributes: MaskedConv2dAttributes): Geometry {
  const g = geometry("masked conv2d", x, w, attributes);
  if (g.keepIn > g.filterIn) {
    throw new TypeError(
      `Cannot apply masked conv2d: the filter has ${g.filterIn} input channels, the input has ` +
        `${g.keepIn}; a masked convolution takes as many or fewer`,
    );
  }
  if (!(Number.isInteger(g.keepOut) && g.keepOut >= 1 && g.keepOut <= g.filterOut)) {
    throw new RangeError(
      `Cannot apply masked conv2d: wanted to keep 1 to ${g.filterOut} filters, found ${g.keepOut}`,
    );
  }
  return g;
}

/**
 * `maskedConv2d(x, w)`: the convolution with the first `keepOut` filters of w, over as many input
 * channels as x has. It equals masking W with zeros, but computes the prefix slice
 * `w[:, :, :keepIn, :keepOut]` alone (arXiv 2006.05624, section 3); `keptTaps` is the optional
 * spatial mask. Its gradient is zero outside the slice.
 */
export const maskedConv2d: Op<MaskedConv2dAttributes> = {
  name: "masked conv2d",
  forward: (trace, [x, w], attributes) => forward(trace, maskedGeometry(x, w, attributes), x, w),
  vjp: (trace, { inputs: [x, w], attributes, wanted }, dy) =>
    gradients(trace, maskedGeometry(x, w, attributes), { x, w, dy, wanted }),
  reference: ([x, w], attributes) => [reference(maskedGeometry(x, w, attributes), x, w)],
  cases: [
    {
      inputs: [[2, 9, 9, 8], [3, 3, 8, 12]],
      attributes: { stride: 1, padding: 1, keepOut: 3 },
    },
    {
      inputs: [[2, 8, 8, 5], [3, 3, 12, 16]],
      attributes: { stride: 2, padding: 1, keepOut: 7 },
    },
    {
      inputs: [[1, 6, 6, 4], [1, 1, 16, 32]],
      attributes: { stride: 1, padding: 0, keepOut: 8 },
    },
    {
      inputs: [[1, 5, 7, 1], [3, 3, 4, 9]],
      attributes: { stride: 2, padding: 1, keepOut: 1 },
    },
    {
      inputs: [[2, 6, 5, 7], [3, 3, 30, 65]],
      attributes: {
        stride: 1,
        padding: 1,
        keepOut: 33,
        keptTaps: [true, false, true, true, true, false, true, false, true],
      },
    },
    {
      inputs: [[1, 9, 9, 3], [7, 7, 5, 6]],
      attributes: {
        stride: 2,
        padding: 3,
        keepOut: 5,
        keptTaps: Array.from({ length: 49 }, (_, i) => i % 3 !== 1),
      },
    },
    {
      inputs: [[2, 8, 6, 2], [3, 3, 4, 9]],
      attributes: {
        stride: 2,
        padding: 1,
        keepOut: 6,
        keptTaps: [true, true, false, false, true, true, true, false, true],
      },
    },
  ],
};
