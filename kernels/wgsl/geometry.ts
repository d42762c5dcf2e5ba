/** The side of the output: `floor((size + 2 padding - kernel) / stride) + 1`. */
export function outputSize(size: number, kernel: number, stride: number, padding: number): number {
  return Math.floor((size + 2 * padding - kernel) / stride) + 1;
}

/** Shapes of a convolution, the bounds of its slices included. */
export interface Geometry {
  /** The op. */
  readonly name: string;
  /** Images. */
  readonly batch: number;
  /** Rows of an input image. */
  readonly height: number;
  /** Columns of an input image. */
  readonly width: number;
  /** Input channels that are used, out of `filterIn`. */
  readonly keepIn: number;
  /** Filters that are used, out of `filterOut`. */
  readonly keepOut: number;
  /** Rows of the kernel. */
  readonly kernelHeight: number;
  /** Columns of the kernel. */
  readonly kernelWidth: number;
  /** Input channels of the filter. */
  readonly filterIn: number;
  /** Filters. */
  readonly filterOut: number;
  /** Pixels from one window to the next. */
  readonly stride: number;
  /** Zeros around the image, on every side. */
  readonly padding: number;
  /** Rows of an output image. */
  readonly outHeight: number;
  /** Columns of an output image. */
  readonly outWidth: number;
  /** One bit for each tap that the spatial mask keeps. */
  readonly tapBits: { readonly taps_low: number; readonly taps_high: number };
}

/** Anything with a shape. */
export type Shaped = { readonly shape: readonly number[] };

/** Attributes that say how a filter is laid over an image. */
export interface Placement {
  /** Pixels from one window to the next. */
  readonly stride: number;
  /** Zeros around the image, on every side. */
  readonly padding: number;
  /** Filters that are used. Default: all. */
  readonly keepOut?: number;
  /** For each tap of the kernel, row by row, whether it is kept. Default: all are. */
  readonly keptTaps?: readonly boolean[];
}

/** The geometry of op `name` on x `[batch, height, width, channels]` and a filter w. */
export function geometry(
  name: string,
  x: Shaped,
  w: Shaped,
  { stride, padding, keepOut, keptTaps }: Placement,
): Geometry {
  const [batch, height, width, keepIn] = x.shape;
  const [kernelHeight, kernelWidth, filterIn, filterOut] = w.shape;
  if (x.shape.length !== 4 || w.shape.length !== 4) {
    throw new TypeError(
      `Cannot apply ${name}: wanted an input [batch, height, width, channels] and a filter ` +
        `[height, width, inputs, outputs], found [${x.shape}] and [${w.shape}]`,
    );
  }
  if (kernelHeight * kernelWidth > 64) {
    throw new RangeError(
      `Cannot apply ${name}: a filter has at most 64 taps, found ${kernelHeight}x${kernelWidth}`,
    );
  }
  if (!Number.isInteger(stride) || stride < 1 || !Number.isInteger(padding) || padding < 0) {
    throw new RangeError(
      `Cannot apply ${name}: wanted a stride from 1 and a padding from 0 on, found stride ` +
        `${stride} and padding ${padding}`,
    );
  }
  const outHeight = outputSize(height, kernelHeight, stride, padding);
  const outWidth = outputSize(width, kernelWidth, stride, padding);
  if (outHeight < 1 || outWidth < 1) {
    throw new RangeError(
      `Cannot apply ${name}: a ${kernelHeight}x${kernelWidth} filter does not fit an image of ` +
        `${height}x${width} with padding ${padding}; use a larger image or more padding`,
    );
  }
  const kept = keptTaps ?? Array<boolean>(kernelHeight * kernelWidth).fill(true);
  if (kept.length !== kernelHeight * kernelWidth) {
    throw new TypeError(
      `Cannot apply ${name}: the spatial mask has ${kept.length} taps, the filter ` +
        `${kernelHeight * kernelWidth}`,
    );
  }
  const bits = (from: number): number =>
    kept.slice(from, from + 32).reduce((sum, keep, i) => sum + (keep ? 2 ** i : 0), 0);
  return {
    name,
    batch,
    height,
    width,
    keepIn,
    keepOut: keepOut ?? filterOut,
    kernelHeight,
    kernelWidth,
    filterIn,
    filterOut,
    stride,
    padding,
    outHeight,
    outWidth,
    tapBits: { taps_low: bits(0), taps_high: bits(32) },
  };
}
