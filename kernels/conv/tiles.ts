import { type Element, type Staged, stagedArray } from "./staged.ts";

/** A workgroup's share of an implicit GEMM, and how its invocations divide it. */
export interface ProductTile {
  /** The name in choices and errors: positions x channels x depth. */
  readonly name: string;
  /** Positions of the outputs of a workgroup. */
  readonly positions: number;
  /** Channels of the outputs of a workgroup. */
  readonly channels: number;
  /** Channels of the reduction that workgroup memory holds at a time. */
  readonly depth: number;
  /** Positions that one invocation holds in registers. */
  readonly rows: number;
  /** Channels that one invocation holds in registers, in vec4. */
  readonly columns: number;
}

/** A workgroup's share of a weight gradient, and how its invocations divide it. */
export interface FilterTile {
  /** The name in choices and errors: inputs x outputs x depth. */
  readonly name: string;
  /** Rows of a workgroup, out of those for all taps and input channels. */
  readonly inputs: number;
  /** Output channels of a workgroup. */
  readonly outputs: number;
  /** Positions of the reduction that workgroup memory holds at a time. */
  readonly depth: number;
  /** Rows that one invocation holds in registers, in vec4. */
  readonly rows: number;
  /** Output channels that one invocation holds in registers, in vec4. */
  readonly columns: number;
}

/** The workgroup tiles that a preset chooses from. */
export interface Tiling {
  /** Processors that run workgroups side by side: tiles are small enough to give work to each. */
  readonly processors: number;
  /** Candidates for forward convolution, input gradient and linear layers. */
  readonly products: readonly ProductTile[];
  /** Candidates for weight gradients. */
  readonly filters: readonly FilterTile[];
}

function product(
  [positions, channels, depth]: readonly [number, number, number],
  [rows, columns]: readonly [number, number],
): ProductTile {
  const name = `${positions}x${channels}x${depth}`;
  return { name, positions, channels, depth, rows, columns };
}

function filter(
  [inputs, outputs, depth]: readonly [number, number, number],
  [rows, columns]: readonly [number, number],
): FilterTile {
  return { name: `${inputs}x${outputs}x${depth}`, inputs, outputs, depth, rows, columns };
}

/**
 * Tiles of 64 or 128 invocations, which hold up to 8x8 sums each. Chosen on an NVIDIA H200 out of
 * some thirty: those that were the fastest for some layer of a ResNet, or within a few hundredths
 * of it.
 */
export const TILING: Tiling = {
  processors: 132,
  products: [
    product([128, 64, 16], [8, 2]),
    product([64, 64, 16], [4, 2]),
    product([64, 64, 32], [4, 2]),
    product([128, 32, 16], [8, 1]),
    product([64, 32, 32], [4, 1]),
    product([32, 32, 32], [4, 1]),
    product([64, 16, 16], [4, 1]),
    product([16, 16, 16], [1, 1]),
  ],
  filters: [
    filter([128, 64, 16], [2, 2]),
    filter([64, 64, 16], [1, 2]),
    filter([64, 32, 16], [1, 1]),
    filter([64, 16, 16], [1, 1]),
    filter([32, 32, 16], [1, 1]),
  ],
};

/** The workgroup of a tile, of either kind. */
export interface TileLayout {
  /** Invocations along the rows: positions of a product, inputs of a filter. */
  readonly down: number;
  /** Invocations along the columns. */
  readonly across: number;
  /** Invocations of the workgroup. */
  readonly invocations: number;
  /** Bytes of workgroup memory. */
  readonly bytes: number;
}

/** Taps of the largest kernel. */
export const MOST_TAPS = 64;

/** Vec4 accesses that one transaction of workgroup memory serves: 32 banks of 4 bytes. */
const BANKED: Readonly<Record<Element, number>> = { "vec4f": 8, "vec4<f16>": 16 };

/**
 * The arrays of a product tile in workgroup memory: x by row of an invocation, vec4 of the
 * reduction and lane; weights by column, vec4, row of the vec4 and lane. They are padded so that
 * lanes that store neighbouring vec4, or rows, of one position, or column, do so in different
 * banks.
 */
export function stagedProduct(
  tile: ProductTile,
  element: Element = "vec4f",
): { x: Staged<"row" | "quad" | "lane">; w: Staged<"column" | "quad" | "row" | "lane"> } {
  const { rows, columns, depth, positions, channels } = tile;
  const [slice, down, across] = [depth / 4, positions / rows, channels / 4 / columns];
  const banked = BANKED[element];
  const spread = banked + banked / slice - down % banked;
  const lane = down + spread % banked;
  return {
    x: stagedArray("x_tile", { row: rows, quad: slice, lane }, element),
    w: stagedArray("w_tile", { column: columns, quad: slice, row: 4, lane: across + 1 }, element),
  };
}

/** The layout of a tile. Raises a `RangeError` for one that cannot be divided evenly. */
export function productLayout(tile: ProductTile): TileLayout {
  const { positions, channels, depth, rows, columns } = tile;
  const down = positions / rows;
  const across = channels / 4 / columns;
  const invocations = down * across;
  requireEven(tile.name, {
    invocations,
    staged: [positions * depth / 4, depth * channels / 4],
    divisors: [invocations / depth, invocations / (channels / 4), BANKED.vec4f * 4 / depth],
    sides: [down, across],
  });
  const { x, w } = stagedProduct(tile);
  return { down, across, invocations, bytes: (x.quads + w.quads) * 16 + MOST_TAPS * 4 };
}

/**
 * The arrays of a weight gradient tile in workgroup memory, by position, row or column, and lane.
 */
export function stagedFilter(
  tile: FilterTile,
  element: Element = "vec4f",
): { x: Staged<"position" | "row" | "lane">; dy: Staged<"position" | "column" | "lane"> } {
  const { rows, columns, depth: position, inputs, outputs } = tile;
  const [down, across] = [inputs / 4 / rows, outputs / 4 / columns];
  return {
    x: stagedArray("x_tile", { position, row: rows, lane: down }, element),
    dy: stagedArray("dy_tile", { position, column: columns, lane: across }, element),
  };
}

/** The layout of a tile. Raises a `RangeError` for one that cannot be divided evenly. */
export function filterLayout(tile: FilterTile): TileLayout {
  const { inputs, outputs, depth, rows, columns } = tile;
  const down = inputs / 4 / rows;
  const across = outputs / 4 / columns;
  const invocations = down * across;
  const staged = [depth * inputs / 4, depth * outputs / 4];
  requireEven(tile.name, {
    invocations,
    staged,
    divisors: [invocations / depth, ...staged.map((count) => invocations * depth / count)],
    sides: [down, across],
  });
  const { x, dy } = stagedFilter(tile);
  // A place for each invocation, four words.
  return { down, across, invocations, bytes: (x.quads + dy.quads + invocations) * 16 };
}

/**
 * Each invocation stages the same number of vec4, and always of the same channel or row. The sides
 * of their grid are powers of two.
 */
function requireEven(
  name: string,
  { invocations, staged, divisors, sides }: {
    invocations: number;
    staged: readonly number[];
    divisors: readonly number[];
    sides: readonly number[];
  },
): void {
  const powers = sides.map(Math.log2);
  const whole = [...divisors, ...powers, ...staged.map((count) => count / invocations)];
  if (invocations < MOST_TAPS || !whole.every(Number.isInteger)) {
    throw new RangeError(
      `Cannot use tile ${name}: wanted at least ${MOST_TAPS} invocations that divide it evenly, ` +
        `found ${invocations} of them, staging ${staged.join(" and ")} vec4`,
    );
  }
}

/** Whether a device can run workgroups of this layout. */
export function fits(
  { invocations, bytes }: Pick<TileLayout, "invocations" | "bytes">,
  limits: Pick<
    GPUSupportedLimits,
    | "maxComputeInvocationsPerWorkgroup"
    | "maxComputeWorkgroupSizeX"
    | "maxComputeWorkgroupStorageSize"
  >,
): boolean {
  return invocations <= limits.maxComputeInvocationsPerWorkgroup &&
    invocations <= limits.maxComputeWorkgroupSizeX &&
    bytes <= limits.maxComputeWorkgroupStorageSize;
}
