import { COMPONENTS, KEPT_TAPS, range, unroll } from "../wgsl/blocked.ts";
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

/**
 * The partial sums of a weight gradient by workgroup tiles. The rows of a tile are quads of
 * inputs of all taps, tap after tap: few inputs share a tile between taps. A position whose x lies
 * outside the image counts as zero.
 */
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
  const staged = { x: depth * inputs / invocations, dy: depth * outputs / invocations };
  // Slices whose places the invocations find at a time, one each.
  const placed = invocations / depth;
  const slot = (m: number, quads: number): string =>
    `lane / ${quads}u + ${m * invocations / quads}u`;
  const loadX = (m: number): string =>
    `let place${m} = places[s % ${placed}u * ${depth}u + ${slot(m, inputs)}];
    let iy${m} = place${m}.y + shift.y;
    let ix${m} = place${m}.x + shift.x;
    let inside${m} = live && iy${m} < dims.in_height && ix${m} < dims.in_width;
    let at${m} = (place${m}.z + tap_shift) * dims.in_stride + in_quad;
    let v${m} = select(${element}(), x(select(0u, at${m}, inside${m})), inside${m});`;
  const loadDy = (m: number): string =>
    `let q${m} = begin + s * ${depth}u + ${slot(m, outputs)};
    let real${m} = q${m} < end && first_out + lane % ${outputs}u < dims.out_quads;
    let g${m} = select(${element}(), dy(select(0u, (dy_row + q${m}) * dims.out_quads + first_out + lane % ${outputs}u, real${m})), real${m});`;
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
    wgsl: /* wgsl */ `
${KEPT_TAPS}
${xTile.declared}
${dyTile.declared}
// Column, row and number of the pixel that a tap at (0, 0) meets, without padding, by position.
var<workgroup> places: array<vec3u, ${invocations}>;

fn main(workgroup: u32, lane: u32) {
  // workgroup = (split * blocks of ${tile.inputs} rows + row block) * blocks of outputs + block
  let taps = dims.kernel_height * dims.kernel_width;
  let row_quads = taps * dims.in_quads;
  let row_blocks = (row_quads + ${inputs - 1}u) / ${inputs}u;
  let out_blocks = (dims.out_quads + ${outputs - 1}u) / ${outputs}u;
  let first_out = workgroup % out_blocks * ${outputs}u;
  let first_row = workgroup / out_blocks % row_blocks * ${inputs}u;
  let split = workgroup / (out_blocks * row_blocks);
  let image = dims.out_height * dims.out_width;
  let positions = dims.batch * image;
  let share = (positions + dims.splits - 1u) / dims.splits;
  let begin = min(split * share, positions);
  let end = min(begin + share, positions);
  let dy_row = ${apart ? "first_row / dims.in_quads * positions" : "0u"};
  let lane_row = ${grid.row};
  let lane_column = ${grid.column};
  // The row that this invocation stages.
  let row = first_row + lane % ${inputs}u;
  let tap = row / dims.in_quads;
  let in_quad = row % dims.in_quads;
  let shift = vec2u(tap % dims.kernel_width, tap / dims.kernel_width)
    * vec2u(dims.dilation_x, dims.dilation_y) - vec2u(dims.padding_x, dims.padding_y);
  let tap_shift = shift.y * dims.in_width + shift.x;
  let live = row < row_quads && kept_tap(min(tap, taps - 1u));
  ${unroll(4 * rows, (i) => range(columns).map((j) => `var s${i}_${j} = vec4f();`).join(" "))}
  let slices = (end - begin + ${depth - 1}u) / ${depth}u;
  // One more round than slices: each loads slice s and multiplies slice s - 1.
  for (var s = 0u; s <= slices; s++) {
    if (s % ${placed}u == 0u) {
      let p = begin + s * ${depth}u + lane;
      let a = p % image / dims.out_width * dims.stride_y;
      let b = p % dims.out_width * dims.stride_x;
      // Beyond the end, a row that no tap brings back inside.
      let row = select(a, 0x40000000u, p >= end);
      places[lane] = vec3u(b, row, (p / image * dims.in_height + a) * dims.in_width + b);
      workgroupBarrier();
    }
    ${unroll(staged.x, loadX)}
    ${unroll(staged.dy, loadDy)}
    if (s > 0u) {
      ${unroll(depth / terms, (i) => `{ ${multiply(i * terms)} }`)}
    }
    workgroupBarrier();
    ${
      unroll(staged.x, (m) =>
        `${
          xTile.at({
            position: slot(m, inputs),
            row: `lane % ${inputs}u / ${down}u`,
            lane: `lane % ${down}u`,
          })
        } = v${m};`)
    }
    ${
      unroll(
        staged.dy,
        (m) =>
          `${
            dyTile.at({
              position: slot(m, outputs),
              column: `lane % ${outputs}u / ${across}u`,
              lane: `lane % ${across}u`,
            })
          } = g${m};`,
      )
    }
    workgroupBarrier();
  }
  ${
      unroll(rows, (i) =>
        unroll(columns, (j) =>
          `{
    let quad = first_out + lane_column + ${j * across}u;
    let mine = first_row + lane_row + ${i * down}u;
    if (mine < row_quads && quad < dims.out_quads) {
      let at = (split * row_quads + mine) * 4u * dims.out_quads + quad;
      ${unroll(4, (u) => `set_part(at + ${u}u * dims.out_quads, s${4 * i + u}_${j});`)}
    }
  }`))
    }
}`,
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
