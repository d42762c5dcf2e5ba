/** A workgroup's share of a gathered product, and how its invocations divide it. */
export interface ProductTile {
  /** What choices and errors call it: positions x channels. */
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
  /** What choices and errors call it: inputs x outputs. */
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

/** How work is divided into workgroup tiles. */
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
  return { name: `${positions}x${channels}`, positions, channels, depth, rows, columns };
}

function filter(
  [inputs, outputs, depth]: readonly [number, number, number],
  [rows, columns]: readonly [number, number],
): FilterTile {
  return { name: `${inputs}x${outputs}`, inputs, outputs, depth, rows, columns };
}

/**
 * Tiles of 64 to 256 invocations in at most 16 KiB of workgroup memory, what every WebGPU device
 * has. An invocation holds up to 8x8 sums, which with its operands fills about 128 registers.
 * Derived from the ratio of multiply-adds to loads; not measured on hardware.
 */
export const TILING: Tiling = {
  processors: 100,
  products: [
    product([128, 128, 8], [8, 2]),
    product([128, 64, 16], [8, 2]),
    product([64, 64, 16], [4, 2]),
    product([64, 32, 16], [4, 2]),
    product([128, 16, 16], [8, 1]),
    product([32, 32, 16], [4, 1]),
    product([16, 16, 16], [1, 1]),
  ],
  filters: [
    filter([128, 64, 16], [2, 2]),
    filter([64, 64, 16], [2, 2]),
    filter([64, 32, 16], [1, 1]),
    filter([64, 16, 16], [1, 1]),
    filter([32, 32, 16], [1, 1]),
  ],
};

/** The shape of a tile in the terms that both kinds share. */
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

/** Vec4 from one quad of the reduction to the next in the staged x: spread over memory banks. */
export function positionPitch({ positions, depth }: ProductTile): number {
  return positions + Math.max(1, 32 / depth);
}

/** Vec4 from one row of the staged weights to the next. */
export function weightPitch({ channels }: ProductTile): number {
  return channels / 4 + 1;
}

/** The layout of a tile. Raises a `RangeError` for one that cannot be divided evenly. */
export function productLayout(tile: ProductTile): TileLayout {
  const { positions, channels, depth, rows, columns } = tile;
  const down = positions / rows;
  const across = channels / 4 / columns;
  const invocations = down * across;
  const staged = [positions * depth / 4, depth * channels / 4];
  requireEven(tile.name, {
    invocations,
    staged,
    divisors: [down, across, invocations / depth, invocations / (channels / 4)],
  });
  const quads = depth / 4 * positionPitch(tile) + depth * weightPitch(tile);
  return { down, across, invocations, bytes: quads * 16 + MOST_TAPS * 4 };
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
    divisors: [down, across, depth / 4, ...staged.map((count) => invocations * depth / count)],
  });
  return { down, across, invocations, bytes: (staged[0] + staged[1]) * 16 };
}

/** Each invocation stages the same number of vec4, and always of the same channel or row. */
function requireEven(
  name: string,
  { invocations, staged, divisors }: {
    invocations: number;
    staged: readonly number[];
    divisors: readonly number[];
  },
): void {
  const whole = [...divisors, ...staged.map((count) => count / invocations)];
  if (invocations < MOST_TAPS || !whole.every(Number.isInteger)) {
    throw new RangeError(
      `Cannot use tile ${name}: wanted at least ${MOST_TAPS} invocations that divide it evenly, ` +
        `found ${invocations} of them, staging ${staged.join(" and ")} vec4`,
    );
  }
}

/** Whether a device can run workgroups of this layout. */
export function fits(
  { invocations, bytes }: TileLayout,
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
