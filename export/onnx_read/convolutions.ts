import { shapeText } from "../../nn/layout.ts";
import type { Operators } from "./operator.ts";
import type { Reading } from "./reading.ts";
import type { Step } from "./step.ts";
import { type FileValue, type ImageValue, isPixel, type RowsValue, sizesText } from "./value.ts";
import {
  demandWindow,
  type Pair,
  pairOf,
  side,
  sidesAfter,
  stageAfter,
  symmetric,
  windowsOf,
} from "./windows.ts";

/** The bias of a convolution: its own, or what a node after it adds to each channel. */
function convBias(step: Step, reading: Reading, channels: number): Float32Array | undefined {
  if (!reading.has(step, 2)) return undefined;
  if (step.node.opType === "Conv") return reading.channelwise(step, 2, channels);
  const { data, shape } = reading.floats(step, 2);
  // Its axes are the last ones of the image.
  const own = [1, channels, 1, 1].slice(-shape.length);
  if (shape.length >= 3 && shape.join() === own.join()) return data;
  return step.refuse(
    `wanted a sum with a number for each of ${channels} channels, found ${shapeText(shape)}`,
  );
}

/** A convolution whose weights are a tensor of the file. */
function convolution(step: Step, reading: Reading): FileValue {
  const x = reading.paddedImage(step, 0);
  const { data, shape } = reading.floats(step, 1);
  if (shape.length !== 4 || shape.includes(0)) {
    return step.refuse(
      `wanted weights of filters x channels x height x width, found ${shapeText(shape)}`,
    );
  }
  const [out, into, rows, columns] = shape;
  const kernel: Pair = [rows, columns];
  const said = pairOf(step, "kernel_shape") ?? kernel;
  if (said.join() !== kernel.join()) {
    return step.refuse(`wanted weights of ${said.join("x")} taps, found ${kernel.join("x")}`);
  }
  const groups = step.int("group", 1);
  if (into * groups !== x.channels || out % groups !== 0) {
    return step.refuse(
      `wanted weights for ${x.channels} channels in ${groups} groups, found ${shapeText(shape)}`,
    );
  }
  const windows = windowsOf(step, x, kernel);
  const padding = symmetric(step, windows.padding);
  const { stride, dilation } = windows;
  const sides = sidesAfter(x, windows);
  demandWindow(step, x, sides);
  const stage = stageAfter(x, sides, stride) ?? 0;
  const bias = convBias(step, reading, out);
  const name = reading.name(step, 1);
  reading.store(`${name}.weight`, data, shape);
  if (bias) reading.store(`${name}.bias`, bias);
  const value = reading.n.conv2d(x.value, {
    ...{ name, out, kernel: side(kernel), stride: side(stride), padding: side(padding), stage },
    ...dilation.join() === "1,1" ? {} : { dilation: side(dilation) },
    ...groups === 1 ? {} : { groups },
    ...bias ? { bias: true } : {},
  });
  return { kind: "image", value, channels: out, ...sides, layout: "nchw", stage };
}

/** A matrix of weights as `[out, in]`, and a bias. */
interface Matrix {
  readonly weight: Float32Array;
  readonly into: number;
  readonly out: number;
  readonly bias?: Float32Array;
}

function matrixOf(step: Step, reading: Reading, { transposed }: { transposed: boolean }): Matrix {
  const { data, shape } = reading.floats(step, 1);
  if (shape.length !== 2 || shape.includes(0)) {
    return step.refuse(`wanted weights of two sizes, found ${shapeText(shape)}`);
  }
  const [out, into] = transposed ? shape : shape.toReversed();
  const weight = transposed ? data : new Float32Array(data.length);
  for (let i = 0, at = 0; i < into && !transposed; i++) {
    for (let o = 0; o < out; o++) weight[o * into + i] = data[at++];
  }
  if (!reading.has(step, 2)) return { weight, into, out };
  const { data: bias, shape: sizes } = reading.floats(step, 2);
  const fits = bias.length === out && sizes.at(-1) === out;
  if (fits) return { weight, into, out, bias };
  return step.refuse(`wanted ${out} numbers as its bias, found ${shapeText(sizes)}`);
}

/** A matrix on the channels of an image, as a convolution whose window is the whole of it, or 1x1. */
function onImage(
  step: Step,
  reading: Reading,
  x: ImageValue,
  { weight, out, bias }: Matrix,
): ImageValue {
  const { channels, layout, stage = 0 } = x;
  const whole = layout === "flat";
  const { height, width } = whole ? x : { height: 1, width: 1 };
  if (height * width > 64) {
    return step.refuse(
      `wanted features of an image of at most 64 pixels, found ${height} x ${width}; pool it before`,
    );
  }
  const name = reading.name(step, 1);
  reading.store(`${name}.weight`, weight, [out, channels, height, width]);
  if (bias) reading.store(`${name}.bias`, bias);
  const value = reading.n.conv2d(x.value, {
    ...{ name, out, kernel: side([height, width]), padding: 0, stage },
    ...bias ? { bias: true } : {},
  });
  const sides = whole ? { height: 1, width: 1 } : { height: x.height, width: x.width };
  return { kind: "image", value, channels: out, ...sides, layout, stage };
}

function linear(step: Step, reading: Reading, matrix: Matrix): FileValue {
  const x = reading.tensor(step, 0);
  const { weight, into, out, bias = new Float32Array(out) } = matrix;
  const features = x.kind === "image" && x.layout === "flat"
    ? x.channels * x.height * x.width
    : x.channels;
  const isRow = x.kind === "rows" || x.layout === "flat";
  if ((!isRow && (x.kind !== "image" || x.layout !== "nhwc")) || features !== into) {
    return step.refuse(`wanted rows of ${into} features, found ${sizesText(x)}`);
  }
  const wide = x.kind === "image" && (!isPixel(x) || x.layout === "nhwc");
  if (x.kind === "image" && (wide || reading.staysImage(step))) {
    return onImage(step, reading, x, matrix);
  }
  const row: RowsValue = reading.rows(step, x);
  const name = reading.name(step, 1);
  reading.store(`${name}.weight`, weight, [out, into]);
  reading.store(`${name}.bias`, bias);
  return { kind: "rows", value: reading.n.linear(row.value, { name, out }), channels: out };
}

function gemm(step: Step, reading: Reading): FileValue {
  const [alpha, beta] = [step.float("alpha", 1), step.float("beta", 1)];
  if (alpha !== 1 || (beta !== 1 && reading.has(step, 2))) {
    return step.refuse(`wanted 1 as its alpha and beta, found ${alpha} and ${beta}`);
  }
  if (step.int("transA", 0) !== 0) return step.refuse("wanted 0 as its transA, found another");
  return linear(
    step,
    reading,
    matrixOf(step, reading, { transposed: step.int("transB", 0) !== 0 }),
  );
}

/** Operators with weights for pairs of channels. */
export const CONVOLUTIONS: Operators = {
  Conv: convolution,
  Gemm: gemm,
  MatMul: (step, reading) => linear(step, reading, matrixOf(step, reading, { transposed: false })),
};
