import type { Loads } from "./kernel.ts";
import { TILING, type Tiling } from "./tiles.ts";

/** How kernels are shaped for a kind of adapter. */
export interface Preset {
  /** The kind of adapter. */
  readonly name: "software" | "gpu";
  /** Where bulk operands are loaded from. */
  readonly loads: Loads;
  /** Invocations of a workgroup of the blocked product. */
  readonly lanes: number;
  /** Rows (pixels) of the block of outputs that one invocation holds in registers. */
  readonly rows: number;
  /** The widest block of outputs, in vec4. */
  readonly columns: number;
  /** Invocations that keep the adapter busy: weight gradients are split until there are as many. */
  readonly invocations: number;
  /** Workgroup tiles of products and weight gradients; without them each invocation is on its own. */
  readonly tiles?: Tiling;
}

/**
 * A processor that plays GPU: large register blocks, no workgroup memory, texture loads. Its
 * compiler turns a load from a storage buffer into a loop over the lanes, which without AVX-512
 * costs ten times a texture load (one hardware gather per component).
 */
export const SOFTWARE: Preset = {
  name: "software",
  loads: "texture",
  lanes: 8,
  rows: 16,
  columns: 4,
  invocations: 256,
};

/**
 * A graphics processor: wide workgroups, tiles in workgroup memory, blocks that fit its registers,
 * buffer loads. Derived from what such hardware is built of, and not yet measured on any. For
 * kernels without tiles: `{ ...GPU, tiles: undefined }`; to try one tile alone:
 * `{ ...GPU, tiles: { ...TILING, products: [tile] } }`.
 */
export const GPU: Preset = {
  name: "gpu",
  loads: "buffer",
  lanes: 64,
  rows: 8,
  columns: 2,
  invocations: 65536,
  tiles: TILING,
};
