import type { AdapterKind } from "../gpu/device_preset.ts";
import { PerDevice } from "../gpu/per_device.ts";
import { MATRIX_TILES, type MatrixTile } from "../matrix/tile.ts";
import { TILING, type Tiling } from "./tiles.ts";

/** A block of outputs: rows (positions) times columns (vec4 of channels). */
export interface Block {
  /** Positions. */
  readonly rows: number;
  /** Vec4 of channels. */
  readonly columns: number;
}

/** How matrix units are used. */
export interface Matrices {
  /** Candidates for all directions. */
  readonly tiles: readonly MatrixTile[];
  /**
   * Ordinary loops in the place of matrix units, to try kernels where there are none: on arrays of
   * vec4, or of scalars.
   */
  readonly emulated?: "vectors" | "scalars";
}

/** The part of a preset that shapes convolutions and linear layers. */
export interface ConvolutionPreset {
  /**
   * Blocks of outputs that one invocation may hold in registers: rows (positions) and columns (vec4
   * of channels). The one that wastes least is taken.
   */
  readonly blocks: readonly Block[];
  /** The side, in vec4, of the block of sums that one invocation of a weight gradient holds. */
  readonly side: number;
  /** The fewest positions of a part of a weight gradient, as to add up parts takes time as well. */
  readonly positions: number;
  /**
   * Workgroup tiles of products and weight gradients; without them each invocation is on its own.
   */
  readonly tiles?: Tiling;
  /** Tiles for matrix units, which are used in mixed precision where the device has some. */
  readonly matrices?: Matrices;
}

/** The convolution part of each preset. */
export const CONVOLUTION_PRESETS: Readonly<Record<AdapterKind, ConvolutionPreset>> = {
  software: {
    blocks: [{ rows: 8, columns: 1 }, { rows: 8, columns: 2 }, { rows: 8, columns: 4 }],
    side: 4,
    positions: 192,
  },
  gpu: {
    blocks: [{ rows: 8, columns: 1 }, { rows: 8, columns: 2 }],
    side: 2,
    positions: 4,
    tiles: TILING,
    matrices: { tiles: MATRIX_TILES },
  },
};

/** The convolution part of the preset of each device. */
export const convolutionPresets: PerDevice<ConvolutionPreset> = new PerDevice(
  ({ preset }) => CONVOLUTION_PRESETS[preset.name],
);
