import { COMPONENTS, range, unroll } from "../wgsl/blocked.ts";
import { type Epilogue, epilogueOf, epilogueStore, NO_EPILOGUE } from "../wgsl/epilogue.ts";
import { defineAlgorithm } from "./algorithm.ts";
import {
  GEMM_DIMS,
  type GemmDims,
  type Product,
  type ProductAlgorithm,
  recordGemm,
  sidesOf,
} from "./gemm.ts";
import { quads } from "../gpu/tensor.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { Trace } from "../program/trace.ts";
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
import { FLOATS, type TileArithmetic } from "./tile_arithmetic.ts";
import { laneGrid } from "./workgroup_lanes.ts";

/** Options of the tiled kernel. */
export interface TiledOptions {
  /**
   * Whether the vec4 of channels of x are a multiple of the slice: then a slice lies within one
   * tap.
   */
  readonly aligned: boolean;
  readonly epilogue?: Epilogue;
  /** Default: float32. */
  readonly arithmetic?: TileArithmetic;
  /** WGSL of the phases, and their name, where they are not those of the direction. */
  readonly phases?: { readonly name: string; readonly wgsl: string };
}

/**
 * WGSL that adds the products of some vec4 of the reduction to the `rows` x `columns` register block
 * of an invocation: of as many as the arithmetic takes at a time, from `first` on.
 */
function multiply(
  direction: ProductDirection,
  tile: ProductTile,
  { first, quads, arithmetic }: { first: number; quads: number; arithmetic: TileArithmetic },
): string {
  const { rows, columns } = tile;
  const { x, w } = stagedProduct(tile, arithmetic.element);
  const all = range(quads);
  const factor = (q: number, j: number, u: number): string =>
    direction === "forward"
      ? `b${q}_${j}_${u}`
      : arithmetic.vector(range(4).map((r) => `b${q}_${j}_${r}.${COMPONENTS[u]}`));
  const products = (i: number, j: number): string =>
    arithmetic.add(
      `s${i}_${j}`,
      all.flatMap((q) =>
        range(4).map((u) => [`a${q}_${i}.${COMPONENTS[u]}`, factor(q, j, u)] as const)
      ),
    );
  const weights = (q: number, j: number): string =>
    unroll(4, (u) => {
      const at = { column: `${j}`, quad: `${first + q}`, row: `${u}`, lane: "lane_column" };
      return `let b${q}_${j}_${u} = ${w.at(at)};`;
    });
  const position = (q: number, i: number): string =>
    `let a${q}_${i} = ${x.at({ row: `${i}`, quad: `${first + q}`, lane: "lane_row" })};`;
  return `{
      ${unroll(quads, (q) => unroll(rows, (i) => position(q, i)))}
      ${
    unroll(columns, (j) =>
      `${
        unroll(quads, (q) => weights(q, j))
      }\n${unroll(rows, (i) => products(i, j))}`)
  }
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
function stagingOf(
  direction: ProductDirection,
  tile: ProductTile,
  { element }: TileArithmetic,
): Staging {
  const { positions, channels, depth } = tile;
  const { invocations } = productLayout(tile);
  const weight = (m: number): StagedWeight => stagedWeight(direction, tile, m);
  return { invocations, positions, channels, depth, element, weight };
}

/** WGSL that stores the vec4 that an invocation has loaded of a slice to workgroup memory. */
function stage(
  direction: ProductDirection,
  tile: ProductTile,
  { count, arithmetic }: { count: { x: number; w: number }; arithmetic: TileArithmetic },
): string {
  const { x, w } = stagedProduct(tile, arithmetic.element);
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
  { aligned, epilogue = NO_EPILOGUE, phases, arithmetic = FLOATS }: TiledOptions,
): Kernel<string, "y", GemmDims> {
  const stored = epilogueStore(epilogue);
  const { positions, channels, depth, rows, columns } = tile;
  const { down, across, invocations } = productLayout(tile);
  const { row, column } = laneGrid(down, across);
  const { read, element, prefix, terms } = arithmetic;
  const { x, w } = stagedProduct(tile, element);
  const { count, before, load } = (aligned ? slicesOfTaps : slicesAcrossTaps)(
    direction,
    stagingOf(direction, tile, arithmetic),
  );
  // Four terms to a vec4.
  const together = Math.ceil(terms / 4);
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
    name: `${direction}, ${prefix}tiled product ${tile.name}${phases ? `, ${phases.name}` : ""}${
      aligned ? "" : ", packed"
    }${stored.suffix}`,
    workgroupSize: invocations,
    reads: { x: read, w: read, ...stored.reads },
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
      ${
        unroll(depth / 4 / together, (i) =>
          multiply(direction, tile, { first: i * together, quads: together, arithmetic }))
      }
    }
    workgroupBarrier();
    ${stage(direction, tile, { count, arithmetic })}
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

/** Records a product by a tile. */
export function recordTiled(
  trace: Trace,
  product: Product,
  { tile, arithmetic }: { readonly tile: ProductTile; readonly arithmetic: TileArithmetic },
): void {
  const { from: [, , inputs], to: [, , outputs] } = sidesOf(product);
  const aligned = quads(inputs) % (tile.depth / 4) === 0;
  const epilogue = epilogueOf(product.epilogue);
  const kernel = tiledKernel(product.direction, tile, { aligned, epilogue, arithmetic });
  recordGemm(trace, product, kernel, {
    positions: tile.positions,
    blocks: Math.ceil(quads(outputs) * 4 / tile.channels),
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
  record: (trace, product, tile) => recordTiled(trace, product, { tile, arithmetic: FLOATS }),
});
