import { quads } from "../gpu/tensor.ts";
import type { Precision } from "../program/trace.ts";
import { type Geometry, groupOf, sidesText } from "../wgsl/geometry.ts";

/** The directions whose result is a batch of images. */
export type ProductDirection = "forward" | "input gradient";

/** A convolution, or one of its gradients. */
export interface Work {
  /** The forward pass, or one of the gradients. */
  readonly direction: ProductDirection | "weight gradient";
  /** The shapes of the convolution. */
  readonly geometry: Geometry;
  /** The precision of the program that it is part of, where that is not float32. */
  readonly precision?: Exclude<Precision, "float32">;
}

/** A work in a program of a precision. */
export function workIn({ precision }: { readonly precision: Precision }, work: Work): Work {
  return precision === "float32" ? work : { ...work, precision };
}

/** Whether each output channel is made of all input channels. */
export function isDense({ groups }: Geometry): boolean {
  return groups === 1;
}

/**
 * Whether a forward pass or an input gradient is a dense product in each of its phases: without
 * groups and, for input gradients, without a stride and a dilation along the same side.
 */
export function isProduct({ direction, geometry: g }: Work): boolean {
  const phased = g.stride.every((stride, side) => stride === 1 || g.dilation[side] === 1);
  return isDense(g) && (direction === "forward" || phased);
}

/** The taps of a filter that its mask keeps. */
function keptTaps({ tapBits: { taps_low, taps_high } }: Geometry): number {
  return [taps_low, taps_high].flatMap((bits) => [...bits.toString(2)])
    .filter((bit) => bit === "1").length;
}

/**
 * Floating-point operations of a convolution or of one of its gradients: twice the
 * multiply-accumulates, those of zeros around the image included.
 */
export function flopsOf(g: Geometry): number {
  const { inputs } = groupOf(g);
  return 2 * g.batch * g.outHeight * g.outWidth * keptTaps(g) * inputs * g.keepOut;
}

/** Elements, padding included, of the slice of the filter that a convolution uses. */
export function usedOfFilter(g: Geometry): number {
  return keptTaps(g) * groupOf(g).inputs * quads(g.keepOut) * 4;
}

/**
 * A work as profiles name it: the filter, the channels, and the sides of the input,
 * `forward 3x3 64->128 @56x56 stride 2`.
 */
export function workName({ direction, geometry: g }: Work): string {
  const kept = keptTaps(g);
  const rest = [
    ...g.stride.some((step) => step > 1) ? [`stride ${sidesText(g.stride)}`] : [],
    ...g.dilation.some((step) => step > 1) ? [`dilation ${sidesText(g.dilation)}`] : [],
    ...g.groups > 1 ? [`groups ${g.groups}`] : [],
    ...kept < g.kernelHeight * g.kernelWidth ? [`${kept} taps`] : [],
  ];
  return [
    `${direction} ${g.kernelHeight}x${g.kernelWidth} ${g.keepIn}->${g.keepOut}`,
    `@${g.height}x${g.width}`,
    ...rest,
  ].join(" ");
}

/** The name of a work: works of the same name share a choice of tile. */
export function workKey({ direction, geometry: g, precision }: Work): string {
  const taps = g.kernelHeight * g.kernelWidth;
  const { taps_low, taps_high } = g.tapBits;
  const all = taps_low === 2 ** Math.min(taps, 32) - 1 &&
    taps_high === 2 ** Math.max(taps - 32, 0) - 1;
  const mask = all ? "" : ` taps ${taps_high} ${taps_low}`;
  const [stride, padding, dilation] = [g.stride, g.padding, g.dilation].map(sidesText);
  const rest = (dilation === "1" ? "" : ` dilation ${dilation}`) +
    (g.groups === 1 ? "" : ` groups ${g.groups}`) + (precision === "mixed" ? " mixed" : "");
  return `${direction} ${g.batch}x${g.height}x${g.width}x${g.keepIn}, ` +
    `${g.kernelHeight}x${g.kernelWidth}x${g.keepOut} stride ${stride} padding ${padding}${rest}${mask}`;
}
