import { conv2d as op, maskedConv2d } from "../../kernels/ops/conv2d.ts";
import { bias as addBias } from "../../kernels/ops/bias.ts";
import type { Tensor } from "../../kernels/gpu/tensor.ts";
import { outputSize, pairOf, type Sides } from "../../kernels/wgsl/geometry.ts";
import {
  type Field,
  type FieldContext,
  flag,
  layerName,
  MAX_PIXELS,
  pairIn,
  sides,
  taps,
  whole,
} from "./fields.ts";
import type { LayerBase, LayerKind, LayerRun, Value } from "./layer.ts";
import { windowAttributes } from "./onnx_step.ts";

/** Options of a convolution. */
export interface Conv2dOptions {
  /** Unique in the network; its weight is called `NAME.weight`, its bias `NAME.bias`. */
  readonly name: string;
  /** Output channels: filters. */
  readonly out: number;
  /** Side of the kernel, 1 to 8, or its height and width; at most 64 taps. */
  readonly kernel: Sides;
  /** Pixels from one window to the next. Default: 1. */
  readonly stride?: Sides;
  /** Pixels from one tap to the next. Default: 1. */
  readonly dilation?: Sides;
  /**
   * Zeros above and below the image, and left and right of it. Default: `floor(kernel / 2)` times
   * the dilation.
   */
  readonly padding?: Sides;
  /**
   * Groups of channels, which divide inputs and filters: the n-th group of filters is applied to the
   * n-th group of inputs. As many as inputs make it depthwise. Default: 1.
   */
  readonly groups?: number;
  /** Whether it adds a bias to each output channel. Default: false. */
  readonly bias?: boolean;
  /** The stage it belongs to: 0 is the stem. Default: that of the builder, if it has begun one. */
  readonly stage?: number;
  /** Taps of the kernel that are not zero, row by row. Default: all. */
  readonly keptTaps?: readonly boolean[];
}

/** A convolution. */
export interface Conv2dLayer extends Conv2dOptions {
  /** Tells it from other layers. */
  readonly kind: "conv2d";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
  /** Input channels. */
  readonly in: number;
  /** Pixels from one window to the next. */
  readonly stride: Sides;
  /** Zeros above and below the image, and left and right of it. */
  readonly padding: Sides;
}

/** The most taps of a kernel: their masks are 64 bits. */
const MAX_TAPS = 64;

/** The sides of a kernel: as a number at most eight, as a pair of at most 64 taps. */
const kernelSides: Field = {
  ...sides({ least: 1, most: MAX_TAPS }),
  wanted: () => "a whole number from 1 to 8, or [height, width] of at most 64 taps",
  fits: (value, context) => {
    const [height, width] = pairIn(value);
    return sides({ least: 1, most: MAX_TAPS }).fits(value, context) && height * width <= MAX_TAPS;
  },
};

/** A number that divides the inputs and the filters. */
const divisor: Field = {
  wanted: ({ fields, channels }) =>
    `a whole number that divides the ${channels} input channels and the ${fields.out} filters`,
  fits: (value, { fields, channels }) =>
    Number.isSafeInteger(value) && Number(value) >= 1 && channels % Number(value) === 0 &&
    Number(fields.out) % Number(value) === 0,
  otherwise: () => undefined,
};

/** Half of the kernel: one number where that is the same for rows and columns. */
function halfKernel({ fields }: FieldContext): Sides {
  const dilation = pairIn(fields.dilation ?? 1);
  const [height, width] = pairIn(fields.kernel).map((side, i) =>
    Math.floor(side / 2) * dilation[i]
  );
  return height === width ? height : [height, width];
}

/** The taps of the kernel of a convolution. */
export function kernelTaps({ kernel }: Pick<Conv2dLayer, "kernel">): number {
  const [height, width] = pairOf(kernel);
  return height * width;
}

/** Input channels of each filter. */
function filterInputs({ in: channels, groups = 1 }: Conv2dLayer): number {
  return channels / groups;
}

function weightShape(layer: Conv2dLayer): number[] {
  return [...pairOf(layer.kernel), filterInputs(layer), layer.out];
}

/** Whether a layer is a convolution: the kind of layer that is masked. */
export function isConv2d(layer: LayerBase): layer is Conv2dLayer {
  return layer.kind === "conv2d";
}

/** The weight of a convolution with zeros at the taps that it does not keep. */
export function maskTaps(layer: Conv2dLayer, w: Float32Array): Float32Array {
  const { keptTaps } = layer;
  if (!keptTaps) return w;
  const masked = w.slice();
  const tap = filterInputs(layer) * layer.out;
  keptTaps.forEach((kept, t) => kept || masked.fill(0, t * tap, (t + 1) * tap));
  return masked;
}

/** Records the convolution without its bias. */
function convolve(layer: Conv2dLayer, { inputs: [x], apply, parameter }: LayerRun): Tensor {
  const w = parameter("weight");
  const { stride, padding, dilation, groups, keptTaps } = layer;
  const placement = { stride, padding, ...dilation !== undefined && { dilation } };
  const isWhole = w.shape[2] === filterInputs(layer) && w.shape[3] === layer.out;
  return isWhole && (!keptTaps || groups !== undefined)
    ? apply(op, [x, w], { ...placement, groups, keptTaps })[0]
    : apply(maskedConv2d, [x, w], { ...placement, keepOut: layer.out, keptTaps })[0];
}

/**
 * A convolution. Masked ones are what makes a network small; those with groups keep whole groups of
 * their inputs.
 */
export const conv2d: LayerKind<Conv2dLayer, [x: Value, options: Conv2dOptions]> = {
  kind: "conv2d",
  inputs: 1,
  takes: "image",
  countsInputs: true,
  channels: ({ groups = 1 }) => groups === 1 ? "own" : { blocks: groups },
  fields: {
    name: layerName,
    out: whole({ least: 1 }),
    kernel: kernelSides,
    stride: sides({ least: 1, most: MAX_PIXELS, otherwise: () => 1 }),
    dilation: sides({ least: 1, most: MAX_PIXELS, otherwise: () => undefined }),
    padding: sides({ least: 0, most: MAX_PIXELS, otherwise: halfKernel }),
    groups: divisor,
    bias: { ...flag, otherwise: () => undefined },
    stage: whole({ least: 0, otherwise: () => undefined }),
    keptTaps: taps,
  },
  call: (x, options) => ({ inputs: [x], options }),
  width: ({ out }) => out,
  side: ({ kernel, stride, padding, dilation = 1 }, side, along) => {
    const [k, s, p, d] = [kernel, stride, padding, dilation].map((sides) => pairOf(sides)[along]);
    return outputSize(side, k, s, p, d);
  },
  parameters: (layer) => {
    const { out, groups = 1, bias } = layer;
    const shape = weightShape(layer);
    const axes = ["all", "all", groups === 1 ? "in" : "all", "out"] as const;
    return [
      { part: "weight", shape, axes, initial: "normal" },
      ...bias ? [{ part: "bias", shape: [out], axes: ["out"], initial: 0 } as const] : [],
    ];
  },
  cost: (layer) => {
    const shift = layer.bias ? 1 : 0;
    const taps = kernelTaps(layer);
    if ((layer.groups ?? 1) === 1) return { pairs: taps, singles: shift };
    const macs = taps * filterInputs(layer);
    return { pairs: 0, singles: macs + shift, macs };
  },
  run: (layer, run) => {
    const y = convolve(layer, run);
    return layer.bias ? run.apply(addBias, [y, run.parameter("bias")], {})[0] : y;
  },
  scaled: (layer, values, factors) => ({
    weight: maskTaps(layer, values("weight")).map((w, i) => w * factors[i % layer.out]),
    ...layer.bias && { bias: values("bias").map((b, i) => b * factors[i]) },
  }),
  stored: (layer, part, values) => part === "weight" ? maskTaps(layer, values) : values,
  onnx: (layer, { values, folded }) => {
    const { out, groups, dilation, bias } = layer;
    const data = folded?.weight ?? maskTaps(layer, values("weight"));
    const shift = folded?.bias ?? (bias ? values("bias") : undefined);
    const constants = [
      { part: "weight", shape: weightShape(layer), data },
      ...shift ? [{ part: "bias", shape: [out], data: shift }] : [],
    ];
    const attributes = {
      ...windowAttributes(layer),
      ...dilation !== undefined && { dilations: pairOf(dilation) },
      ...groups !== undefined && { group: groups },
    };
    return [{ op: "Conv", attributes, constants }];
  },
  narrowed: (layer, { inputs: [x], widths, mask, blocks }) => ({
    ...layer,
    inputs: [x],
    in: widths[0],
    ...mask,
    ...blocks !== undefined && {
      groups: blocks,
      out: layer.out / (layer.groups ?? 1) * blocks,
    },
  }),
  shifts: ({ bias }) => bias === true,
  slices: ["weight"],
};
