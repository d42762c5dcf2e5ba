import { conv2d as op, maskedConv2d } from "../../kernels/ops/conv2d.ts";
import { outputSize } from "../../kernels/wgsl/geometry.ts";
import { type FieldContext, layerName, MAX_PIXELS, taps, whole } from "./fields.ts";
import type { LayerBase, LayerKind, Value } from "./layer.ts";
import { windowAttributes } from "./onnx_step.ts";

/** Options of a convolution. */
export interface Conv2dOptions {
  /** Unique in the network; its weight is called `NAME.weight`. */
  readonly name: string;
  /** Output channels: filters. */
  readonly out: number;
  /** Side of the kernel, 1 to 8. */
  readonly kernel: number;
  /** Pixels from one window to the next. Default: 1. */
  readonly stride?: number;
  /** Zeros around the image, on every side. Default: `floor(kernel / 2)`. */
  readonly padding?: number;
  /** The stage it belongs to: 0 is the stem. Default: that of the builder, if it has begun one. */
  readonly stage?: number;
  /** Taps of the kernel that are not zero, row by row. Default: all. */
  readonly keptTaps?: readonly boolean[];
}

/** A convolution without bias. */
export interface Conv2dLayer extends Conv2dOptions {
  /** Tells it from other layers. */
  readonly kind: "conv2d";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
  /** Input channels. */
  readonly in: number;
  /** Pixels from one window to the next. */
  readonly stride: number;
  /** Zeros around the image, on every side. */
  readonly padding: number;
}

/** The largest side of a kernel: masks of its taps are 64 bits. */
const MAX_KERNEL = 8;

function halfKernel({ fields }: FieldContext): number {
  return Math.floor(Number(fields.kernel) / 2);
}

/** Whether a layer is a convolution: the kind of layer that is masked. */
export function isConv2d(layer: LayerBase): layer is Conv2dLayer {
  return layer.kind === "conv2d";
}

/** The weight of a convolution with zeros at the taps that it does not keep. */
export function maskTaps(
  { keptTaps, in: channels, out }: Conv2dLayer,
  w: Float32Array,
): Float32Array {
  if (!keptTaps) return w;
  const masked = w.slice();
  const tap = channels * out;
  keptTaps.forEach((kept, t) => kept || masked.fill(0, t * tap, (t + 1) * tap));
  return masked;
}

/** A convolution without bias. Masked ones are what makes a network small. */
export const conv2d: LayerKind<Conv2dLayer, [x: Value, options: Conv2dOptions]> = {
  kind: "conv2d",
  inputs: 1,
  takes: "image",
  countsInputs: true,
  channels: () => "own",
  fields: {
    name: layerName,
    out: whole({ least: 1 }),
    kernel: whole({ least: 1, most: MAX_KERNEL }),
    stride: whole({ least: 1, most: MAX_PIXELS, otherwise: () => 1 }),
    padding: whole({ least: 0, most: MAX_PIXELS, otherwise: halfKernel }),
    stage: whole({ least: 0, otherwise: () => undefined }),
    keptTaps: taps,
  },
  call: (x, options) => ({ inputs: [x], options }),
  width: ({ out }) => out,
  side: ({ kernel, stride, padding }, side) => outputSize(side, kernel, stride, padding),
  parameters: ({ kernel, in: channels, out }) => [
    {
      part: "weight",
      shape: [kernel, kernel, channels, out],
      axes: ["all", "all", "in", "out"],
      initial: "normal",
    },
  ],
  cost: ({ kernel }) => ({ pairs: kernel ** 2, singles: 0 }),
  run: (layer, { inputs: [x], apply, parameter }) => {
    const w = parameter("weight");
    const { stride, padding, keptTaps } = layer;
    const whole = w.shape[2] === layer.in && w.shape[3] === layer.out && !keptTaps;
    return whole
      ? apply(op, [x, w], { stride, padding })[0]
      : apply(maskedConv2d, [x, w], { stride, padding, keepOut: layer.out, keptTaps })[0];
  },
  scaled: (layer, values, factors) =>
    maskTaps(layer, values("weight")).map((w, i) => w * factors[i % layer.out]),
  stored: (layer, _, values) => maskTaps(layer, values),
  onnx: (layer, { values, folded }) => {
    const { kernel, in: channels, out } = layer;
    const data = folded?.weight ?? maskTaps(layer, values("weight"));
    const constants = [
      { part: "weight", shape: [kernel, kernel, channels, out], data },
      ...folded ? [{ part: "bias", shape: [out], data: folded.bias }] : [],
    ];
    return [{ op: "Conv", attributes: windowAttributes(layer), constants }];
  },
  narrowed: (layer, { inputs: [x], widths, mask }) => ({
    ...layer,
    inputs: [x],
    in: widths[0],
    ...mask,
  }),
  slices: ["weight"],
};
