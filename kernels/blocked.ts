/** 0, 1, …, n - 1. */
export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** Joins what `f` gives for 0, 1, …, n - 1 by line breaks. */
export function unroll(n: number, f: (i: number) => string): string {
  return range(n).map(f).join("\n");
}

/** Names of the components of a vec4. */
export const LANES = "xyzw";

/**
 * Bit `tap` of a 64-bit mask, `dims.taps_low` and `dims.taps_high`, says whether the spatial mask of a
 * masked convolution keeps that tap.
 */
export const KEPT_TAPS = /* wgsl */ `
fn kept_tap(tap: u32) -> bool {
  return ((select(dims.taps_low, dims.taps_high, tap >= 32u) >> (tap & 31u)) & 1u) == 1u;
}`;
