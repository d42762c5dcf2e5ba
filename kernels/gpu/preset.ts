import type { Loads } from "./kernel.ts";
import { TILING, type Tiling } from "../conv/tiles.ts";

/** A block of outputs: rows (positions) times columns (vec4 of channels). */
export interface Block {
  /** Positions. */
  readonly rows: number;
  /** Vec4 of channels. */
  readonly columns: number;
}

/** How kernels are shaped for a kind of adapter. */
export interface Preset {
  /** The kind of adapter. */
  readonly name: "software" | "gpu";
  /** Where bulk operands are loaded from. */
  readonly loads: Loads;
  /** Invocations of a workgroup of the blocked product. */
  readonly lanes: number;
  /** Whether lanes load for one another what all need, where subgroups are as wide as workgroups. */
  readonly broadcast: boolean;
  /**
   * Blocks of outputs that one invocation of a product may hold in registers: rows (positions) and
   * columns (vec4 of channels). The one that wastes least is taken.
   */
  readonly blocks: readonly Block[];
  /**
   * The grid of kernels whose workgroups are subgroups: they take turns at the work as they come to
   * it, so that a core that wakes late does less. Without it, each part of the work has a workgroup.
   */
  readonly grid?: number;
  /**
   * The most iterations that all loops of an invocation may come to, where there is a limit: work is
   * divided into so many parts that it is kept.
   */
  readonly iterations?: number;
  /** The side, in vec4, of the block of sums that one invocation of a weight gradient holds. */
  readonly side: number;
  /** Invocations that keep the adapter busy: weight gradients are split until there are as many. */
  readonly invocations: number;
  /** The fewest positions of such a part, as to add up parts takes time as well. */
  readonly positions: number;
  /** The most partial sums of a norm that one invocation adds up. */
  readonly joined: number;
  /** Invocations of a workgroup that share the partial sums of a channel, a power of two. */
  readonly shares: number;
  /** Workgroup tiles of products and weight gradients; without them each invocation is on its own. */
  readonly tiles?: Tiling;
}

/**
 * A processor that plays GPU by way of Mesa's llvmpipe: large register blocks, no workgroup memory, texture loads. Its
 * compiler turns a load from a storage buffer into a loop over the lanes, which without AVX-512
 * costs ten times a load from a storage texture (one hardware gather per component). Stores are
 * loops in either case. After 65535 iterations it leaves all loops of an invocation, without a word.
 */
export const SOFTWARE: Preset = {
  name: "software",
  loads: "texture",
  lanes: 8,
  broadcast: true,
  blocks: [{ rows: 8, columns: 1 }, { rows: 8, columns: 2 }, { rows: 8, columns: 4 }],
  grid: 32,
  iterations: 65535,
  side: 4,
  invocations: 2048,
  positions: 192,
  joined: 256,
  shares: 1,
};

/**
 * A graphics processor: wide workgroups, tiles in workgroup memory, blocks that fit its registers,
 * buffer loads. Its numbers are from an NVIDIA H200; it is also for software adapters but Mesa's,
 * whose compilers want short kernels. For kernels without tiles: `{ ...GPU, tiles: undefined }`; to
 * try one tile alone: `{ ...GPU, tiles: { ...TILING, products: [tile] } }`.
 */
export const GPU: Preset = {
  name: "gpu",
  loads: "buffer",
  lanes: 64,
  broadcast: false,
  blocks: [{ rows: 8, columns: 1 }, { rows: 8, columns: 2 }],
  side: 2,
  invocations: 131072,
  positions: 4,
  joined: 64,
  shares: 64,
  tiles: TILING,
};
