import { COMPONENTS, range, unroll } from "../wgsl/blocked.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { filterLayout, type FilterTile, stagedFilter } from "./tiles.ts";
import { type AlgorithmEntry, defineAlgorithm } from "./algorithm.ts";
import type { Device } from "../gpu/device.ts";
import type { PendingGradient } from "../op.ts";
import { FLOATS, type TileArithmetic } from "./tile_arithmetic.ts";
import { quads } from "../gpu/tensor.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { type Reduction, splitsOf, type SplitTile, splitTime } from "./split_tiles.ts";
import { runnableTiles } from "./tile_estimate.ts";
import {
  pendingSums,
  positionsOf,
  WEIGHT_GRADIENT_DIMS,
  type WeightGradient,
  type WeightGradientAlgorithm,
  type WeightGradientDims,
} from "./weight_gradient_parts.ts";
import { filterFrame } from "./filter_frame.ts";
import { isDense } from "./work.ts";
import { laneGrid } from "./workgroup_lanes.ts";

/** Options of the tiled kernel. */
export interface TiledOptions {
  /**
   * Whether each tap has a dy of its own, `[taps][positions]`: a tile's rows are those of one tap.
   */
  readonly apart?: boolean;
  /** Default: float32. */
  readonly arithmetic?: TileArithmetic;
}

/** The partial sums of a weight gradient by workgroup tiles. */
export function tiledKernel(
  tile: FilterTile,
  { apart = false, arithmetic = FLOATS }: TiledOptions = {},
): Kernel<"x" | "dy", "part", WeightGradientDims> {
  const { depth, rows, columns } = tile;
  const { down, across, invocations } = filterLayout(tile);
  const grid = laneGrid(down, across);
  const { element, read, prefix, terms } = arithmetic;
  const { x: xTile, dy: dyTile } = stagedFilter(tile, element);
  const inputs = tile.inputs / 4;
  const outputs = tile.outputs / 4;
  const products = (i: number, j: number): string =>
    unroll(4, (u) =>
      arithmetic.add(
        `s${4 * i + u}_${j}`,
        range(terms).map((d) => [`a${d}_${i}.${COMPONENTS[u]}`, `b${d}_${j}`]),
      ));
  const load = (d: number, position: string): string =>
    `${
      unroll(
        rows,
        (i) => `let a${d}_${i} = ${xTile.at({ position, row: `${i}`, lane: "lane_row" })};`,
      )
    }
        ${
      unroll(
        columns,
        (j) => `let b${d}_${j} = ${dyTile.at({ position, column: `${j}`, lane: "lane_column" })};`,
      )
    }`;
  // The products of some positions of the slice, from `first` on.
  const multiply = (first: number): string =>
    `${unroll(terms, (d) => load(d, `${first + d}`))}
        ${unroll(rows, (i) => unroll(columns, (j) => products(i, j)))}`;
  return defineKernel({
    name: `weight gradient, ${prefix}tiled ${tile.name}${apart ? ", winograd" : ""}`,
    workgroupSize: invocations,
    reads: { x: read, dy: read },
    writes: { part: "bulk" },
    dims: WEIGHT_GRADIENT_DIMS,
    wgsl: filterFrame({
      ...{ invocations, inputs, outputs, depth, element, apart },
      declared: `${xTile.declared}\n${dyTile.declared}`,
      begin: `let lane_row = ${grid.row};
  let lane_column = ${grid.column};
  ${unroll(4 * rows, (i) => range(columns).map((j) => `var s${i}_${j} = vec4f();`).join(" "))}`,
      multiply: unroll(depth / terms, (i) => `{ ${multiply(i * terms)} }`),
      stageX: ({ position, quad }, value) => {
        const at = { position, row: `${quad} / ${down}u`, lane: `lane % ${down}u` };
        return `${xTile.at(at)} = ${value};`;
      },
      stageDy: ({ position, quad }, value) => {
        const at = { position, column: `${quad} / ${across}u`, lane: `lane % ${across}u` };
        return `${dyTile.at(at)} = ${value};`;
      },
      store: unroll(rows, (i) =>
        unroll(columns, (j) =>
          `{
    let quad = first_out + lane_column + ${j * across}u;
    let mine = first_row + lane_row + ${i * down}u;
    if (mine < row_quads && quad < dims.out_quads) {
      let at = (split * row_quads + mine) * 4u * dims.out_quads + quad;
      ${unroll(4, (u) => `set_part(at + ${u}u * dims.out_quads, s${4 * i + u}_${j});`)}
    }
  }`)),
    }),
    iterations: (dims) => Math.ceil(positionsOf(dims) / depth) + 2,
  });
}

function reductionOf(g: Geometry): Reduction {
  return {
    rows: g.kernelHeight * g.kernelWidth * quads(g.keepIn) * 4,
    positions: g.batch * g.outHeight * g.outWidth,
  };
}

/** The variants of a weight gradient by tiles, their estimates, and how they are recorded. */
export function tiledSplits(
  arithmetic: TileArithmetic,
): Pick<
  AlgorithmEntry<SplitTile, WeightGradient, PendingGradient>,
  "variants" | "estimate" | "alternatives" | "record"
> {
  const splits = (gpu: Device, tile: FilterTile, g: Geometry): SplitTile[] =>
    splitsOf(gpu, tile, g, { reduction: reductionOf(g), prefix: arithmetic.prefix });
  return {
    variants: (gpu, { geometry: g }) =>
      runnableTiles(gpu).filters.map((tile) => splits(gpu, tile, g)[0]),
    estimate: (gpu, { geometry: g }, split) => splitTime(gpu, split, reductionOf(g)),
    alternatives: (gpu, { geometry: g }, { tile }) => splits(gpu, tile, g).slice(1),
    record: (trace, operands, { tile, blocks, splits }) =>
      pendingSums(trace, operands, {
        kernel: tiledKernel(tile, { arithmetic }),
        splits,
        workgroups: blocks * splits,
        clip: false,
        eightAtATime: true,
      }),
  };
}

/** The weight gradient by workgroup tiles, where the preset has tiles. */
export const tiledWeightGradient: WeightGradientAlgorithm = defineAlgorithm({
  name: "tiled weight gradient",
  timed: true,
  guessed: true,
  applies: (gpu, { geometry }) => isDense(geometry) && runnableTiles(gpu).filters.length > 0,
  ...tiledSplits(FLOATS),
});
