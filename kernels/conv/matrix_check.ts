import type { Device } from "../gpu/device.ts";
import { DeviceLostError, GpuError } from "../gpu/gpu_error.ts";
import { elements } from "../gpu/tensor.ts";
import type { MatrixOperations } from "../matrix/operations.ts";
import { Scope } from "../program/scope.ts";
import { geometry } from "../wgsl/geometry.ts";
import { matrixProduct } from "./matrix_product.ts";
import { matricesOf, matrixOperations, useMatrices } from "./matrix_tiles.ts";
import { matrixWeightGradient } from "./matrix_weight_gradient.ts";
import { operandShapes } from "./record_work.ts";

/** Positions, inputs and outputs of the product that is tried: none fills a tile. */
const [POSITIONS, INPUTS, OUTPUTS] = [40, 36, 20];

/** Whole numbers from -8 to 8, of which products and sums are exact, and no two rows alike. */
function drawn(count: number, step: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (i * i * step + i) % 17 - 8);
}

/** The sums of a matrix, row by row: `term` gives the k-th of `depth` terms of each. */
function product(
  [rows, columns, depth]: readonly [number, number, number],
  term: (row: number, column: number, k: number) => number,
): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += term(Math.floor(at / columns), at % columns, k);
    return sum;
  });
}

/** Whether a convolution and its gradients are, number by number, what plain sums give. */
async function areRight(gpu: Device): Promise<boolean> {
  using scope = new Scope(gpu);
  const x = { shape: [1, 5, POSITIONS / 5, INPUTS] };
  const w = { shape: [1, 1, INPUTS, OUTPUTS] };
  const g = geometry("conv2d", x, w, { stride: 1, padding: 0 });
  const shapes = operandShapes(g);
  const values = {
    x: drawn(elements(shapes.x), 3),
    w: drawn(elements(shapes.w), 5),
    y: drawn(elements(shapes.y), 7),
  };
  const [from, by, to] = (["x", "w", "y"] as const).map((name) =>
    scope.tensor(name, shapes[name], values[name])
  );
  const y = scope.tensor("product", shapes.y);
  const dx = scope.tensor("input gradient", shapes.x);
  const dw = scope.tensor("weight gradient", shapes.w);
  const mixed = { geometry: g, precision: "mixed" } as const;
  const program = await scope.trace("matrix units", (trace) => {
    for (const direction of ["forward", "input gradient"] as const) {
      const operands = direction === "forward" ? { x: from, y } : { x: to, y: dx };
      const [plan] = matrixProduct.plans(gpu, { direction, ...mixed }, 1);
      plan.record(trace, { direction, geometry: g, w: by, epilogue: {}, ...operands });
    }
    const [plan] = matrixWeightGradient.plans(gpu, { direction: "weight gradient", ...mixed }, 1);
    plan.record(trace, { geometry: g, x: from, dy: to }).write(dw, false);
  }, { precision: "mixed" });
  program.replay();
  const found = await gpu.read([y, dx, dw]);
  const wanted = [
    product(
      [POSITIONS, OUTPUTS, INPUTS],
      (p, o, i) => values.x[p * INPUTS + i] * values.w[i * OUTPUTS + o],
    ),
    product(
      [POSITIONS, INPUTS, OUTPUTS],
      (p, i, o) => values.y[p * OUTPUTS + o] * values.w[i * OUTPUTS + o],
    ),
    product(
      [INPUTS, OUTPUTS, POSITIONS],
      (i, o, p) => values.x[p * INPUTS + i] * values.y[p * OUTPUTS + o],
    ),
  ];
  return wanted.every((numbers, n) => numbers.every((value, i) => value === found[n][i]));
}

/**
 * Takes the first of some matrix operations that the device compiles, and with which a convolution
 * and its gradients are exact on whole numbers; where there is none, kernels do without. What
 * experimental features are called and what they mean may differ from driver to driver: nothing is
 * computed with units that give other numbers. Raises a {@link DeviceLostError} where the device is
 * lost.
 */
export async function settleMatrices(
  gpu: Device,
  candidates: readonly MatrixOperations[] = matrixOperations(gpu),
): Promise<void> {
  for (const operations of candidates) {
    useMatrices(gpu, operations);
    if (matricesOf(gpu).tiles.length === 0) continue;
    try {
      if (await areRight(gpu)) return;
    } catch (error) {
      if (!(error instanceof GpuError) || error instanceof DeviceLostError) throw error;
    }
  }
  useMatrices(gpu, null);
}
