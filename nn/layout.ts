/** A tensor in PyTorch's layout. */
export interface TorchTensor {
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** Row-major, as many as the product of the shape. */
  readonly data: Float32Array;
}

/** A shape as `16x3x3x3`, as much as is fit to be printed of it. */
export function shapeText(shape: readonly number[]): string {
  const dimensions = [...shape.slice(0, 8), ...shape.length > 8 ? ["..."] : []];
  return shape.length ? dimensions.join("x") : "a single number";
}

/** Whether two shapes are the same. */
export function isEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** Values of axes (a, b, c), re-ordered to (c, b, a). */
function reverseAxes(data: Float32Array, a: number, b: number, c: number): Float32Array {
  const out = new Float32Array(data.length);
  let from = 0;
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      for (let k = 0; k < c; k++) out[(k * b + j) * a + i] = data[from++];
    }
  }
  return out;
}

/** The shape in PyTorch's layout of a tensor of ours. */
export function torchShape(shape: readonly number[]): number[] {
  if (shape.length !== 4) return shape.toReversed();
  const [h, w, i, o] = shape;
  return [o, i, h, w];
}

/**
 * `[height, width, in, out]` to PyTorch's `[out, in, height, width]`, `[in, out]` to `[out, in]`.
 */
export function toTorch(data: Float32Array, shape: readonly number[]): TorchTensor {
  if (shape.length === 2) {
    const [i, o] = shape;
    return { shape: [o, i], data: reverseAxes(data, i, 1, o) };
  }
  if (shape.length !== 4) return { shape, data };
  const [h, w, i, o] = shape;
  return { shape: [o, i, h, w], data: reverseAxes(data, h * w, i, o) };
}

/** The inverse of {@link toTorch}: takes values in PyTorch's layout, and their shape there. */
export function fromTorch(data: Float32Array, shape: readonly number[]): Float32Array {
  if (shape.length === 2) return reverseAxes(data, shape[0], 1, shape[1]);
  if (shape.length !== 4) return data;
  const [o, i, h, w] = shape;
  return reverseAxes(data, o, i, h * w);
}

/** `[batch, channels, height, width]` to `[batch, height, width, channels]`. */
export function nchwToNhwc(data: Float32Array, shape: readonly number[]): Float32Array {
  const [n, c, h, w] = shape;
  const image = c * h * w;
  const out = new Float32Array(data.length);
  for (let b = 0; b < n; b++) {
    out.set(reverseAxes(data.subarray(b * image, (b + 1) * image), c, 1, h * w), b * image);
  }
  return out;
}

/** The inverse of {@link nchwToNhwc}; `shape` is `[batch, height, width, channels]`. */
export function nhwcToNchw(data: Float32Array, shape: readonly number[]): Float32Array {
  const [n, h, w, c] = shape;
  return nchwToNhwc(data, [n, h * w, 1, c]);
}
