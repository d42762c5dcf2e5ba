import { COMPONENTS, range, unroll } from "../wgsl/blocked.ts";
import { type Epilogue, epilogueOf, epilogueStore, NO_EPILOGUE } from "../wgsl/epilogue.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { GEMM_DIMS, type GemmDims, type ProductAlgorithm, recordGemm, sidesOf } from "./gemm.ts";
import { quads } from "../gpu/tensor.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { PHASES } from "./phases.ts";
import { productExtent, productTime, runnableTiles } from "./tile_estimate.ts";
import { isProduct, type ProductDirection } from "./work.ts";
import { frameIterations, PIXEL_OF_RESULT, productFrame } from "./product_frame.ts";
import {
  slicesAcrossTaps,
  slicesOfTaps,
  stagedPosition,
  type StagedWeight,
  type Staging,
} from "./staged_slices.ts";
import { productLayout, type ProductTile, stagedProduct } from "./tiles.ts";
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

/**
 * The m-th vec4 of weights that an invocation loads: neighbours in memory go to neighbouring lanes.
 */
function stagedWeight(direction: ProductDirection, tile: ProductTile, m: number): StagedWeight {
  const { invocations } = productLayout(tile);
  const { channels, depth } = tile;
  const quads = channels / 4;
  if (direction === "forward") {
    const at = `(lane / ${quads}u + ${m * invocations / quads}u)`;
    return { quad: `${at} / 4u`, row: `${at} % 4u`, out: `lane % ${quads}u` };
  }
  return {
    quad: `lane / 4u % ${depth / 4}u`,
    row: "lane % 4u",
    out: `lane / ${depth}u + ${m * invocations / depth}u`,
  };
}

/** How the invocations of a tile share in loading it. */
function stagingOf(direction: ProductDirection, tile: ProductTile): Staging {
  const { positions, channels, depth } = tile;
  const { invocations } = productLayout(tile);
  const weight = (m: number): StagedWeight => stagedWeight(direction, tile, m);
  return { invocations, positions, channels, depth, element: "vec4f", weight };
}

/** WGSL that stores the vec4 that an invocation has loaded of a slice to workgroup memory. */
function stage(
  direction: ProductDirection,
  tile: ProductTile,
  count: { x: number; w: number },
): string {
  const { x, w } = stagedProduct(tile);
  const { down, across, invocations } = productLayout(tile);
  const slice = tile.depth / 4;
  const position = (m: number): string => {
    const p = `(${stagedPosition({ depth: tile.depth, invocations }, m)})`;
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
  const { count, before, load } = (aligned ? slicesOfTaps : slicesAcrossTaps)(
    direction,
    stagingOf(direction, tile),
  );
  const store = (i: number): string =>
    `{
    let p = first + lane_row + ${i * down}u;
    if (p < end) {
      ${PIXEL_OF_RESULT}
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
    wgsl: productFrame({
      phases: phases?.wgsl ?? PHASES[direction],
      ...{ positions, channels },
      declared: `${x.declared}\n${w.declared}`,
      before: `let lane_row = ${row};
  let lane_column = ${column};`,
      body: `${
        unroll(rows, (i) => range(columns).map((j) => `var s${i}_${j} = vec4f();`).join(" "))
      }
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
  ${unroll(rows, store)}`,
    }),
    iterations: (dims) => {
      const { kernel_height, kernel_width, in_quads } = dims;
      const slices = Math.ceil(kernel_height * kernel_width * in_quads * 4 / tile.depth);
      return frameIterations(dims) + slices + 2;
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
