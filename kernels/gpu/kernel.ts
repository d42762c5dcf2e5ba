/**
 * The ways in which a kernel reads a tensor:
 * - `bulk`: vec4 by vec4, from a texture where the adapter loads textures faster than buffers;
 * - `small`: vec4 by vec4 from its buffer: a tensor too small to be worth a texture;
 * - `half`: vec4 by vec4 from its buffer as `vec4<f16>`, whichever floats it holds;
 * - `channel`: one vec4 per four channels, as a uniform (at most {@link CHANNEL_QUADS} of them);
 * - `u32`, `f32`: single words of a buffer.
 */
export type Read = "bulk" | "small" | "half" | "channel" | "u32" | "f32";

/**
 * The ways in which a kernel writes a tensor. `bulk` may go into a texture, where it is then read;
 * `update` is a bulk tensor that is read and written in place.
 */
export type Write = "bulk" | "update" | "f32" | "u32";

/** The longest per-channel tensor, in vec4. */
export const CHANNEL_QUADS = 1024;

/**
 * A compute kernel. `wgsl` defines `fn main(workgroup: u32, lane: u32)`, the work of one workgroup
 * out of `dims.workgroups`. The rest is declared for it: for each bulk, small, half or channel operand
 * `x` a function `x(i)` that loads its i-th vec4, for each word operand the array `x`, for each
 * bulk or updated result `y` a function `set_y(i, value)`, and a uniform `dims` with the named
 * numbers.
 */
export interface Kernel<
  R extends string = string,
  W extends string = string,
  D extends string = string,
> {
  /** The name in errors and profiles. */
  readonly name: string;
  /** Invocations of a workgroup, in one dimension. */
  readonly workgroupSize: number;
  /** Whether a workgroup is one subgroup, whose lanes hand values to one another. */
  readonly subgroup?: boolean;
  /** Whether it computes with matrix units; it runs only where the device has some. */
  readonly matrixUnits?: boolean;
  /** Tensors that are read, by their names in the WGSL. */
  readonly reads: Readonly<Record<R, Read>>;
  /** Tensors that are written, by their names in the WGSL. */
  readonly writes: Readonly<Record<W, Write>>;
  /** Numbers that differ from run to run, as `dims.name` in the WGSL. */
  readonly dims: Readonly<Record<D, "u32" | "i32" | "f32">>;
  /** WGSL of `fn main` and of the functions that it calls. */
  readonly wgsl: string;
  /**
   * As `wgsl`, for runs on half floats that are loaded and stored two neighbouring vec4 at a time:
   * `x_pair(i)` loads vec4 2i and 2i + 1 of a bulk operand as an array, `set_y_pair(i, first, second)`
   * stores them. It takes the place of `wgsl` where all bulk operands have an even number of vec4 and
   * the preset is for such accesses; it works on no other operands by functions of their own.
   */
  readonly wide?: string;
  /**
   * The most iterations that the loops of one call of `main` come to, those of nested loops for each
   * round of the outer one, and one for leaving each loop. Kernels with loops need it: Mesa's
   * llvmpipe leaves them after 65535 iterations, without a word.
   */
  iterations?(dims: Readonly<Record<D, number>>): number;
}

/** Returns the kernel, with the types of its names inferred. */
export function defineKernel<
  const R extends string,
  const W extends string,
  const D extends string,
>(kernel: Kernel<R, W, D>): Kernel<R, W, D> {
  return kernel;
}

/** The memory that bulk operands are loaded from. */
export type Loads = "buffer" | "texture";
