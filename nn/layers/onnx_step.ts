import { pairOf, type Sides } from "../../kernels/wgsl/geometry.ts";

/** An attribute of a node of ONNX: a whole number, several, or a float. */
export type Attribute = number | readonly number[] | { readonly float: number };

/** A constant that a node of ONNX reads. */
export interface OnnxConstant {
  /** Its name behind that of the layer: `weight`. */
  readonly part: string;
  /**
   * Floats in the layout of the GPU: `[height, width, in, out]`, `[in, out]`, `[channels]`; other
   * ones as they are.
   */
  readonly shape: readonly number[];
  /** Row-major, unpadded. */
  readonly data: Float32Array | BigInt64Array;
}

/** A node of ONNX. It reads what the layer is applied to, or the step before it; then constants. */
export interface OnnxStep {
  /** The operator, by its name in the operator set: `Conv`. */
  readonly op: string;
  /** By name. Default: none. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Whether it reads the layer's first input once more, after the step before it. */
  readonly again?: boolean;
  /** Constants that it reads after the values. Default: none. */
  readonly constants?: readonly OnnxConstant[];
  /** The end of its name, for steps after the first. */
  readonly suffix?: string;
}

/** The values that the nodes of a layer depend on. */
export interface OnnxContext {
  /** The values of one of its parameters or running statistics. */
  readonly values: (part: string) => Float32Array;
  /** Whether its first input is one row of features for each image. */
  readonly flat: boolean;
  /** Sides of its first input, in pixels. */
  readonly image: { readonly height: number; readonly width: number };
  /** Weight and bias that do the norm after it as well. */
  readonly folded?: { readonly weight: Float32Array; readonly bias: Float32Array };
}

/** A constant of one float. */
export function onnxNumber(part: string, value: number): OnnxConstant {
  return { part, shape: [], data: Float32Array.of(value) };
}

/** The attributes of a node whose windows lie over an image; `over` hang over the lower right. */
export function windowAttributes(
  { kernel, stride, padding = 0, over = pairOf(padding) }: {
    kernel: Sides;
    stride: Sides;
    padding?: Sides;
    over?: readonly number[];
  },
): Record<string, Attribute> {
  return {
    kernel_shape: pairOf(kernel),
    strides: pairOf(stride),
    pads: [...pairOf(padding), ...over],
  };
}
