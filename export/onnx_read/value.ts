import type { Value } from "../../nn/network.ts";
import type { Constant } from "./constant.ts";

/**
 * The axes that the file has an image in: `nchw`, or `nhwc` behind a transposition; `flat` where
 * each image is one row of channels · height · width; `grouped` and `shuffled` within a shuffle of
 * channels, `[batch, groups, channels / groups, height, width]` and with both swapped.
 */
export type Layout = "nchw" | "nhwc" | "flat" | "grouped" | "shuffled";

/** Pixels by which an image is enlarged: at the top, at the left, at the bottom, at the right. */
export type Padding = readonly [number, number, number, number];

/** Pixels as `scale · x + shift`, by channel. */
export interface Affine {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** An image, or values of it. */
export interface ImageValue {
  readonly kind: "image";
  /** The value of the network that is being made. */
  readonly value: Value;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly layout: Layout;
  /** Within a shuffle of channels. */
  readonly groups?: number;
  /** The stage that it was made in: it has halved so often since the first convolution. */
  readonly stage?: number;
  /** The value whose means over the image it is. */
  readonly pooled?: Value;
  /** Zeros around it that a layer has still to add. */
  readonly padding?: Padding;
  /** What the file does to pixels, for the image itself. */
  readonly affine?: Affine;
}

/** One row of features for each image. */
export interface RowsValue {
  readonly kind: "rows";
  readonly value: Value;
  readonly channels: number;
}

/** A value that the file names. */
export type FileValue = ImageValue | RowsValue | Constant;

/** Whether an image is a single pixel. */
export function isPixel({ height, width }: ImageValue): boolean {
  return height === 1 && width === 1;
}

/** The axes of a value in the file, by what they run over. */
const AXES: Readonly<Record<Layout, readonly string[]>> = {
  nchw: ["n", "c", "h", "w"],
  nhwc: ["n", "h", "w", "c"],
  flat: ["n", "c"],
  grouped: ["n", "g", "k", "h", "w"],
  shuffled: ["n", "k", "g", "h", "w"],
};

/** What the axes of a value run over: n, c, h and w; g and k for groups and channels of one. */
export function axesOf(x: ImageValue | RowsValue): readonly string[] {
  return AXES[x.kind === "rows" ? "flat" : x.layout];
}

/** What an axis runs over, counted from the end where it is below 0; nothing outside. */
export function axisOf(x: ImageValue | RowsValue, axis: number): string | undefined {
  return axesOf(x).at(axis);
}

/** The sizes of a value in the file but for the first, the number of images. */
export function sizesOf(x: ImageValue | RowsValue): readonly number[] {
  if (x.kind === "rows") return [x.channels];
  const { channels: c, height: h, width: w, groups = 1 } = x;
  switch (x.layout) {
    case "nchw":
      return [c, h, w];
    case "nhwc":
      return [h, w, c];
    case "flat":
      return [c * h * w];
    case "grouped":
      return [groups, c / groups, h, w];
    case "shuffled":
      return [c / groups, groups, h, w];
  }
}

/** The sizes of a value in words, as `batch x 3 x 32 x 32`. */
export function sizesText(x: ImageValue | RowsValue): string {
  return ["batch", ...sizesOf(x)].join(" x ");
}
