/** A number for rows and one for columns. */
export type Pair = readonly [height: number, width: number];

/** A number for rows and one for columns, or one for both. */
export type Sides = number | Pair;

/** The numbers for rows and columns. */
export function pairOf(sides: Sides): Pair {
  return typeof sides === "number" ? [sides, sides] : sides;
}

/**
 * The side of the output: `floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1`.
 */
export function outputSize(
  size: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation = 1,
): number {
  return Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
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
  /** Input channels of the filter: those of one group. */
  readonly filterIn: number;
  /** Filters. */
  readonly filterOut: number;
  /** Groups of channels: the n-th of the outputs is made of the n-th of the inputs. */
  readonly groups: number;
  /** Pixels from one window to the next. */
  readonly stride: Pair;
  /** Zeros above and below the image, and left and right of it. */
  readonly padding: Pair;
  /** Pixels from one tap to the next. */
  readonly dilation: Pair;
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
  readonly stride: Sides;
  /** Zeros above and below the image, and left and right of it. */
  readonly padding: Sides;
  /** Pixels from one tap to the next. Default: 1. */
  readonly dilation?: Sides;
  /** Groups of channels. Default: 1. */
  readonly groups?: number;
  /** Filters that are used. Default: all. */
  readonly keepOut?: number;
  /** For each tap of the kernel, row by row, whether it is kept. Default: all are. */
  readonly keptTaps?: readonly boolean[];
}

/** A pair in words: `2`, or `1x2` where the two differ. */
export function sidesText([height, width]: Pair): string {
  return height === width ? `${height}` : `${height}x${width}`;
}

function areWhole(pair: Pair, least: number): boolean {
  return pair.length === 2 && pair.every((side) => Number.isInteger(side) && side >= least);
}

/** The geometry of op `name` on x `[batch, height, width, channels]` and a filter w. */
export function geometry(
  name: string,
  x: Shaped,
  w: Shaped,
  { keepOut, keptTaps, groups = 1, ...placed }: Placement,
): Geometry {
  const [batch, height, width, keepIn] = x.shape;
  const [kernelHeight, kernelWidth, filterIn, filterOut] = w.shape;
  const stride = pairOf(placed.stride);
  const padding = pairOf(placed.padding);
  const dilation = pairOf(placed.dilation ?? 1);
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
  if (!areWhole(stride, 1) || !areWhole(padding, 0)) {
    throw new RangeError(
      `Cannot apply ${name}: wanted a stride from 1 and a padding from 0 on, found stride ` +
        `${sidesText(stride)} and padding ${sidesText(padding)}`,
    );
  }
  if (!areWhole(dilation, 1)) {
    throw new RangeError(
      `Cannot apply ${name}: wanted a dilation from 1 on, found ${sidesText(dilation)}`,
    );
  }
  if (!Number.isInteger(groups) || groups < 1 || keepIn % groups || filterOut % groups) {
    throw new RangeError(
      `Cannot apply ${name}: wanted groups that divide ${keepIn} input and ${filterOut} output ` +
        `channels, found ${groups}`,
    );
  }
  const outHeight = outputSize(height, kernelHeight, stride[0], padding[0], dilation[0]);
  const outWidth = outputSize(width, kernelWidth, stride[1], padding[1], dilation[1]);
  if (outHeight < 1 || outWidth < 1) {
    const spread = dilation.some((d) => d > 1) ? ` of dilation ${sidesText(dilation)}` : "";
    throw new RangeError(
      `Cannot apply ${name}: a ${kernelHeight}x${kernelWidth} filter${spread} does not fit an ` +
        `image of ${height}x${width} with padding ${sidesText(padding)}; use a larger image or ` +
        `more padding`,
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
    groups,
    stride,
    padding,
    dilation,
    outHeight,
    outWidth,
    tapBits: { taps_low: bits(0), taps_high: bits(32) },
  };
}

/** The channels of a group that are used. */
export function groupOf(g: Geometry): { readonly inputs: number; readonly outputs: number } {
  return g.groups === 1
    ? { inputs: g.keepIn, outputs: g.keepOut }
    : { inputs: g.filterIn, outputs: g.filterOut / g.groups };
}

/** The numbers of kernels that say how a filter is laid over an image. */
export type PlacementDims = `${"stride" | "padding" | "dilation"}_${"y" | "x"}`;

/** The stride, the padding and the dilation of a convolution as numbers of kernels. */
export function placementDims(
  { stride, padding, dilation }: Pick<Geometry, "stride" | "padding" | "dilation">,
): Record<PlacementDims, number> {
  return {
    stride_y: stride[0],
    stride_x: stride[1],
    padding_y: padding[0],
    padding_x: padding[1],
    dilation_y: dilation[0],
    dilation_x: dilation[1],
  };
}

/** {@link placementDims} of windows that lie side by side, without zeros around. */
export const UNPLACED: Readonly<Record<PlacementDims, number>> = placementDims({
  stride: [1, 1],
  padding: [0, 0],
  dilation: [1, 1],
});
