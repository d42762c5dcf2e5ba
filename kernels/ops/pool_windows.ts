import { outputSize, type Shaped } from "../wgsl/geometry.ts";
import { WALK_DIMS, walkOver } from "../wgsl/walk.ts";

/** The size and stride of the windows of a pool. */
interface Windows {
  /** Side of a window. */
  readonly kernel: number;
  /** Pixels from one window to the next. */
  readonly stride: number;
}

/** How the windows of a pool lie over an image. */
export interface PoolWindows extends Windows {
  /** Pixels around the image, on every side. Default: none. */
  readonly padding?: number;
  /** Whether windows may hang over the lower and the right edge. Default: false. */
  readonly ceilMode?: boolean;
}

/** The types of the numbers that the kernels of a pool take. */
export const POOL_DIMS = {
  ...WALK_DIMS,
  kernel: "u32",
  stride: "u32",
  in_height: "u32",
  in_width: "u32",
  out_height: "u32",
  out_width: "u32",
} as const;

/**
 * The side of the output of a pool. As in PyTorch, the last window starts inside the image or its
 * left padding.
 */
export function poolSide(size: number, windows: PoolWindows): number {
  const { kernel, stride, padding = 0, ceilMode = false } = windows;
  if (!ceilMode) return outputSize(size, kernel, stride, padding);
  const side = Math.ceil((size + 2 * padding - kernel) / stride) + 1;
  return (side - 1) * stride >= size + padding ? side - 1 : side;
}

/** Pixels of the last window that lie behind the image, in its padding or beyond it. */
export function overhang(size: number, windows: PoolWindows): number {
  const { kernel, stride, padding = 0 } = windows;
  return Math.max(0, (poolSide(size, windows) - 1) * stride + kernel - size - padding);
}

/**
 * The shape of the result of the pool called `name`. Raises a `TypeError` for other than images and
 * a `RangeError` for windows that do not fit or too much padding.
 */
export function poolShape(name: string, { shape }: Shaped, windows: PoolWindows): number[] {
  const { kernel, stride, padding = 0 } = windows;
  if (shape.length !== 4) {
    throw new TypeError(
      `Cannot apply ${name}: wanted an input [batch, height, width, channels], found [${shape}]`,
    );
  }
  if (![kernel, stride].every(Number.isInteger) || kernel < 1 || stride < 1) {
    throw new RangeError(
      `Cannot apply ${name}: wanted a kernel and a stride from 1 on, found ${kernel} and ${stride}`,
    );
  }
  if (!(Number.isInteger(padding) && padding >= 0 && padding <= kernel / 2)) {
    throw new RangeError(
      `Cannot apply ${name}: wanted a padding from 0 to half of kernel ${kernel}, found ${padding}`,
    );
  }
  const [batch, height, width, channels] = shape;
  const [outHeight, outWidth] = [height, width].map((side) => poolSide(side, windows));
  if (outHeight < 1 || outWidth < 1) {
    throw new RangeError(
      `Cannot apply ${name}: a window of ${kernel}x${kernel} does not fit an image of ` +
        `${height}x${width}; use a larger image or a smaller kernel`,
    );
  }
  return [batch, outHeight, outWidth, channels];
}

/** The numbers and the workgroups of a kernel that walks over x or y of a pool. */
export function poolOver<const N extends string>(
  walked: Shaped,
  { x, y }: { x: Shaped; y: Shaped },
  numbers: Windows & Readonly<Record<N, number>>,
): {
  dims: Record<Exclude<keyof typeof POOL_DIMS, "kernel" | "stride">, number> & typeof numbers;
  workgroups: number;
} {
  const [images, rows, width, channels] = walked.shape;
  const [, in_height, in_width] = x.shape;
  const [, out_height, out_width] = y.shape;
  const { dims, workgroups } = walkOver({ rows: images * rows, width, channels });
  return {
    dims: { ...dims, in_height, in_width, out_height, out_width, ...numbers },
    workgroups,
  };
}

/**
 * `windows(p, count)`: from .x to below .y, the windows a out of `count` that contain position p,
 * a·stride <= p < a·stride + kernel. Sides of images are far below 2^20, where floats divide as
 * exactly as integers do and in a third of the time.
 */
export const WINDOWS = /* wgsl */ `
fn quotient(n: u32) -> u32 { return u32((f32(n) + 0.5) / f32(dims.stride)); }
fn windows(p: u32, count: u32) -> vec2u {
  let first = quotient(max(p + 1u, dims.kernel) - dims.kernel + dims.stride - 1u);
  return vec2u(first, min(quotient(p) + 1u, count));
}`;

/** The windows that contain a position, along one side, at most. */
export function windowsOf({ kernel, stride }: Windows): number {
  return Math.ceil(kernel / stride);
}

/** The iterations of two nested loops over `side` each. */
export function windowIterations(side: number): number {
  return side * (side + 2) + 1;
}
