import { COMPONENTS, KEPT_TAPS, range, unroll } from "../wgsl/blocked.ts";
import { type Epilogue, epilogueOf, epilogueStore, NO_EPILOGUE } from "../wgsl/epilogue.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { GEMM_DIMS, type GemmDims, type ProductAlgorithm, recordGemm, sidesOf } from "./gemm.ts";
import { quads } from "../gpu/tensor.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { PHASES } from "./phases.ts";
import { productExtent, productTime, runnableTiles } from "./tile_estimate.ts";
import { isProduct, type ProductDirection } from "./work.ts";
import { slicesAcrossTaps, slicesOfTaps, stagedPosition, stagedWeight } from "./staged_slices.ts";
import { MOST_TAPS, productLayout, type ProductTile, stagedProduct } from "./tiles.ts";
import { laneGrid } from "./workgroup_lanes.ts";

/** Options of the tiled kernel. */
export interface TiledOptions {
  /**
   * Whether the vec4 of channels of x are a multiple of the slice: then a slice lies within one
   * tap.
   */
  readonly aligned: boolean;
  readonly epilogue?: Epilogue;
  /** WGSL of the phases, and their name, where they are not those of the direction. */
  readonly phases?: { readonly name: string; readonly wgsl: string };
}

/**
 * WGSL that adds the products of one vec4 of the reduction to the `rows` x `columns` register block
 * of an invocation.
 */
function multiply(direction: ProductDirection, tile: ProductTile, quad: number): string {
  const { rows, columns } = tile;
  const { x, w } = stagedProduct(tile);
  const factor = (j: number, u: number): string =>
    direction === "forward"
      ? `b${j}_${u}`
      : `vec4f(${range(4).map((r) => `b${j}_${r}.${COMPONENTS[u]}`).join(", ")})`;
  const products = (i: number, j: number): string =>
    range(4).map((u) =>
      `s${i}_${j} = fma(vec4f(a${i}.${COMPONENTS[u]}), ${factor(j, u)}, s${i}_${j});`
    ).join(" ");
  const weights = (j: number): string =>
    unroll(4, (u) => {
      const at = { column: `${j}`, quad: `${quad}`, row: `${u}`, lane: "lane_column" };
      return `let b${j}_${u} = ${w.at(at)};`;
    });
  return `{
      ${
    unroll(rows, (i) => `let a${i} = ${x.at({ row: `${i}`, quad: `${quad}`, lane: "lane_row" })};`)
  }
      ${unroll(columns, (j) => `${weights(j)}\n${unroll(rows, (i) => products(i, j))}`)}
    }`;
}

/** WGSL that stores the vec4 that an invocation has loaded of a slice to workgroup memory. */
function stage(
  direction: ProductDirection,
  tile: ProductTile,
  count: { x: number; w: number },
): string {
  const { x, w } = stagedProduct(tile);
  const { down, across } = productLayout(tile);
  const slice = tile.depth / 4;
  const position = (m: number): string => {
    const p = `(${stagedPosition(tile, m)})`;
    return x.at({ row: `${p} / ${down}u`, quad: `lane % ${slice}u`, lane: `${p} % ${down}u` });
  };
  const weight = (m: number): string => {
    const { quad, row, out } = stagedWeight(direction, tile, m);
    return w.at({ column: `(${out}) / ${across}u`, quad, row, lane: `(${out}) % ${across}u` });
  };
  return `${unroll(count.x, (m) => `${position(m)} = x${m};`)}
    ${unroll(count.w, (m) => `${weight(m)} = w${m};`)}`;
}

/**
 * An implicit GEMM by workgroup tiles. While a workgroup multiplies one slice of
 * the reduction out of workgroup memory, the next is on its way to registers.
 */
export function tiledKernel(
  direction: ProductDirection,
  tile: ProductTile,
  { aligned, epilogue = NO_EPILOGUE, phases }: TiledOptions,
): Kernel<string, "y", GemmDims> {
  const stored = epilogueStore(epilogue);
  const { positions, channels, depth, rows, columns } = tile;
  const { down, across, invocations } = productLayout(tile);
  const { row, column } = laneGrid(down, across);
  const { x, w } = stagedProduct(tile);
  const { count, before, load } = (aligned ? slicesOfTaps : slicesAcrossTaps)(direction, tile);
  const store = (i: number): string =>
    `{
    let p = first + lane_row + ${i * down}u;
    if (p < end) {
      var pixel = p;
      if (!in_order()) {
        let b = p % window.grid.x;
        let a = (p / window.grid.x) % window.grid.y;
        let n = p / (window.grid.x * window.grid.y);
        pixel = (n * dims.out_height + a * out_scale().y + window.out.y) * dims.out_width
          + b * out_scale().x + window.out.x;
      }
      let at = pixel * out_quads;
      ${
      unroll(columns, (j) =>
        `if (quad${j} < out_quads) {
        let kept = vec4u(quad${j} * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.out_channels);
        set_y(at + quad${j}, ${stored.value(`select(vec4f(), s${i}_${j}, kept)`, `at + quad${j}`)});
      }`)
    }
    }
  }`;
  return defineKernel({
    name: `${direction}, tiled product ${tile.name}${phases ? `, ${phases.name}` : ""}${
      aligned ? "" : ", packed"
    }${stored.suffix}`,
    workgroupSize: invocations,
    reads: { x: "bulk", w: "bulk", ...stored.reads },
    writes: { y: "bulk" },
    dims: GEMM_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
${phases?.wgsl ?? PHASES[direction]}
// t + 256 s of each tap (s, t) that is kept.
var<workgroup> kept_taps: array<u32, ${MOST_TAPS}>;
${x.declared}
${w.declared}

fn number_of(window: Window, tap: vec2u) -> u32 {
  let of_kernel = window.tap + tap * tap_step();
  return of_kernel.y * dims.kernel_width + of_kernel.x;
}

// The t and s of the tap of quad k of the reduction, its quad of channels, and k. The half keeps
// the rounded quotient on the right side of a whole number.
fn tap_at(k: u32, reciprocal: f32) -> vec4u {
  let ordinal = u32((f32(k) + 0.5) * reciprocal);
  let t = kept_taps[min(ordinal, ${MOST_TAPS - 1}u)];
  return vec4u(t & 255u, t >> 8u, k - ordinal * dims.in_quads, k);
}

fn main(workgroup: u32, lane: u32) {
  // workgroup = (phase * groups + group of ${positions} positions) * blocks + block of ${channels} channels
  let out_quads = (dims.out_channels + 3u) / 4u;
  let blocks = (out_quads + ${channels / 4 - 1}u) / ${channels / 4}u;
  let group = phase_of(workgroup / blocks, dims.groups);
  let window = window_of(group.x);
  let first = group.y * ${positions}u;
  let first_quad = workgroup % blocks * ${channels / 4}u;
  let end = dims.batch * window.grid.y * window.grid.x;
  let lane_row = ${row};
  let lane_column = ${column};
  workgroupBarrier();
  var kept = 0u;
  var each = vec2u();
  for (var i = 0u; i < window.taps.y * window.taps.x; i++) {
    if (kept_tap(number_of(window, each))) {
      if (lane == 0u) { kept_taps[kept] = each.x + each.y * 256u; }
      kept += 1u;
    }
    each.x += 1u;
    if (each.x == window.taps.x) { each = vec2u(0u, each.y + 1u); }
  }
  workgroupBarrier();
  ${unroll(rows, (i) => range(columns).map((j) => `var s${i}_${j} = vec4f();`).join(" "))}
  ${before}
  // One more round than slices: each loads slice s and multiplies slice s - 1.
  for (var s = 0u; s <= slices; s++) {
    ${load}
    if (s > 0u) {
      ${unroll(depth / 4, (quad) => multiply(direction, tile, quad))}
    }
    workgroupBarrier();
    ${stage(direction, tile, count)}
    workgroupBarrier();
  }
  ${unroll(columns, (j) => `let quad${j} = first_quad + lane_column + ${j * across}u;`)}
  ${unroll(rows, store)}
}`,
    iterations: ({ kernel_height, kernel_width, in_quads }) => {
      const taps = kernel_height * kernel_width;
      return taps + 1 + Math.ceil(taps * in_quads * 4 / tile.depth) + 2;
    },
  });
}

/** The implicit GEMM by workgroup tiles, where the preset has tiles. */
export const tiledProduct: ProductAlgorithm = defineAlgorithm({
  name: "tiled product",
  timed: true,
  guessed: true,
  applies: (gpu, work) => isProduct(work) && runnableTiles(gpu).products.length > 0,
  variants: (gpu) => runnableTiles(gpu).products,
  estimate: (gpu, work, tile) => productTime(gpu, tile, productExtent(work)),
  record: (trace, product, tile) => {
    const { from: [, , inputs], to: [, , outputs] } = sidesOf(product);
    const aligned = quads(inputs) % (tile.depth / 4) === 0;
    const epilogue = epilogueOf(product.epilogue);
    recordGemm(trace, product, tiledKernel(product.direction, tile, { aligned, epilogue }), {
      positions: tile.positions,
      blocks: Math.ceil(quads(outputs) * 4 / tile.channels),
    });
  },
});
