import type { OnnxInfo } from "./onnx.ts";

/** Element types that inputs may have, and the arrays that hold them. */
export const INPUT_ARRAYS = {
  float32: Float32Array,
  // Browsers that do not have it run files of the other two.
  float16: globalThis.Float16Array,
  float64: Float64Array,
} as const;

/** One of these element types. */
export type InputElement = keyof typeof INPUT_ARRAYS;

/** An array of one of these types. */
export type InputPlanes = InstanceType<typeof INPUT_ARRAYS[InputElement]>;

/** Numbers of a tensor as onnxruntime gives them; nothing where they are no floats. */
export function floats(data: unknown): Float32Array | undefined {
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return Float32Array.from(data);
  // Float16 comes as that, or as its bits.
  const { float16 } = INPUT_ARRAYS;
  if (data instanceof float16) return Float32Array.from(data);
  if (data instanceof Uint16Array) {
    return Float32Array.from(new float16(data.buffer, data.byteOffset, data.length));
  }
}

/** Images by bytes, as a batch has them: `[count, height, width, channels]`. */
export interface Images {
  /** Their pixels; what lies behind them does not count. */
  readonly pixels: Uint8Array;
  /** How many they are. */
  readonly count: number;
}

/**
 * Images from `first` on as an ONNX file of ours takes them: `[size, channels, height, width]`, by
 * the range that it states. Those beyond `count` are zeros.
 */
export function inputPlanes(
  { pixels, count }: Images,
  { image: [height, width, channels], normalization: { mean, std }, range }: Pick<
    OnnxInfo,
    "image" | "normalization" | "range"
  >,
  { element = "float32", first = 0, size = count }: {
    /** Default: `float32`. */
    readonly element?: InputElement;
    /** Default: 0. */
    readonly first?: number;
    /** Default: `count`. */
    readonly size?: number;
  } = {},
): InputPlanes {
  const area = height * width;
  const planes = new INPUT_ARRAYS[element](size * channels * area);
  const images = Math.min(size, count - first);
  for (let plane = 0; plane < images * channels; plane++) {
    const c = plane % channels;
    const [m, s] = range === "pixels" ? [0, 1] : [255 * mean[c], 255 * std[c]];
    const start = first * channels * area + (plane - c) * area + c;
    for (let i = 0; i < area; i++) {
      planes[plane * area + i] = (pixels[start + i * channels] - m) / s;
    }
  }
  return planes;
}
