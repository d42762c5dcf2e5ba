import { quads } from "../gpu/tensor.ts";
import { LANES } from "../wgsl/elementwise.ts";
import type { Shaped } from "../wgsl/geometry.ts";

/** The numbers of kernels on one side of images: x `[outer, length, inner]`, y `[outer, windows, inner]`. */
export const ALONG_DIMS = { outer: "u32", length: "u32", windows: "u32", inner: "u32" } as const;

/** A side of images; `inner` in vec4. */
export type Along = Record<keyof typeof ALONG_DIMS, number>;

/** A `main` that finds vec4 `c` at position `at`, out of `positions`, of part `o`. */
export function eachPosition(positions: "length" | "windows", body: string): string {
  return /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let c = i % dims.inner;
  let at = (i / dims.inner) % dims.${positions};
  let o = i / dims.inner / dims.${positions};
  if (o >= dims.outer) { return; }
  ${body}
}`;
}

/** Along the rows and along the columns of images, from the shapes of x and y. */
export function sides(
  x: Shaped,
  y: Shaped,
): { across: Along; down: Along; between: number[] } {
  const [batch, height, width, channels] = x.shape;
  const [, outHeight, outWidth] = y.shape;
  const inner = quads(channels);
  return {
    across: { outer: batch * height, length: width, windows: outWidth, inner },
    down: { outer: batch, length: height, windows: outHeight, inner: outWidth * inner },
    between: [batch, height, outWidth, channels],
  };
}
