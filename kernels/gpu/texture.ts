import type { Tensor } from "./tensor.ts";
import { TEXTURE_USAGE } from "./usage.ts";

/** The format of textures that kernels load from and store to. */
export const TEXTURE_FORMAT = "rgba32float";

/** Bits of the column in the index of a texel. */
export const TEXTURE_SHIFT = 10;

/** Texels of a row that hold vec4 of tensors. */
export const TEXTURE_WIDTH: number = 1 << TEXTURE_SHIFT;

/**
 * Unused texels at the end of a row. Pixels often lie a power of two of bytes apart; a cache line
 * more in each row spreads them over the sets of a cache.
 */
const GAP = 4;

/** Rows that a tensor takes. */
export function textureRows({ quads }: Pick<Tensor, "quads">): number {
  return Math.ceil(quads / TEXTURE_WIDTH);
}

/** A texture with room for so many rows. */
export function textureOf(label: string, rows: number) {
  // llvmpipe compiles a kernel anew for sides that are powers of two: there are none.
  const height = (rows & (rows - 1)) === 0 ? Math.max(3, rows + 1) : rows;
  return {
    label,
    size: { width: TEXTURE_WIDTH + GAP, height },
    format: TEXTURE_FORMAT,
    usage: TEXTURE_USAGE.COPY_DST | TEXTURE_USAGE.STORAGE_BINDING,
  } as const satisfies GPUTextureDescriptor;
}
