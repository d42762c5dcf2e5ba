import type { FusibleGradient } from "../op.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import type { EpilogueOperands } from "../wgsl/epilogue.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { choosePlan } from "./algorithm.ts";
import { depthwiseProduct } from "./depthwise_product.ts";
import { directProduct } from "./direct_product.ts";
import type { Product, ProductAlgorithm } from "./gemm.ts";
import { halfTiledProduct } from "./half_tiles.ts";
import { implicitGemm } from "./implicit_gemm.ts";
import { matrixProduct } from "./matrix_product.ts";
import { thinProduct } from "./thin_product.ts";
import { tiledProduct } from "./tiled_product.ts";
import { winogradProduct } from "./winograd_product.ts";
import { workIn, workName } from "./work.ts";

/**
 * The algorithms of the forward convolution and of its input gradient. Without a measured choice
 * the first that applies is taken.
 */
export const PRODUCT_ALGORITHMS: readonly ProductAlgorithm[] = [
  matrixProduct,
  tiledProduct,
  winogradProduct,
  halfTiledProduct,
  thinProduct,
  implicitGemm,
  depthwiseProduct,
  directProduct,
];

function recordProduct(trace: Trace, product: Product): void {
  const { direction, geometry } = product;
  const work = workIn(trace, { direction, geometry });
  const plan = choosePlan(PRODUCT_ALGORITHMS, trace.gpu, work);
  trace.within(workName(work), () => plan.record(trace, product));
}

/** Records y = x * w into `y`, `[batch, outHeight, outWidth, keepOut]`. */
export function recordForward(
  trace: Trace,
  geometry: Geometry,
  { x, w, y }: { x: Tensor; w: Tensor; y: Tensor },
): void {
  recordProduct(trace, { direction: "forward", geometry, x, w, y, epilogue: {} });
}

/** Records the gradient of the input into `dx`, `[batch, height, width, keepIn]`. */
export function recordInputGradient(
  trace: Trace,
  geometry: Geometry,
  { dy, w, dx }: { dy: Tensor; w: Tensor; dx: Tensor },
  epilogue: EpilogueOperands = {},
): void {
  recordProduct(trace, { direction: "input gradient", geometry, x: dy, w, y: dx, epilogue });
}

/** The gradient of the input, recorded once its epilogue is known. */
export function inputGradient(
  trace: Trace,
  geometry: Geometry,
  dy: Tensor,
  w: Tensor,
): FusibleGradient {
  return {
    fuse: (dx, epilogue) => recordInputGradient(trace, geometry, { dy, w, dx }, epilogue),
  };
}
