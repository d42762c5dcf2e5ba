import type { Work } from "../kernels/conv/choices.ts";
import { geometry, type Placement } from "../kernels/wgsl/geometry.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { filterPlans, productPlans } from "../kernels/conv/tile_choice.ts";

const DIRECTIONS = ["forward", "input gradient", "weight gradient"] as const;

/** Those of an input and a filter. */
export type Shapes = readonly [x: readonly number[], w: readonly number[]];

/** A convolution and its gradients. */
export function worksOf([x, w]: Shapes, attributes: Placement): Work[] {
  const g = geometry("conv2d", { shape: x }, { shape: w }, attributes);
  return DIRECTIONS.map((direction) => ({ direction, geometry: g }));
}

/** Chooses the `i`-th of Winograd's plans for each direction that has any; gives how many have. */
export function chooseWinograd(gpu: Gpu, works: readonly Work[], i: number): number {
  return works.filter((work) => {
    const plans = work.direction === "weight gradient"
      ? filterPlans(gpu, work)
      : productPlans(gpu, work);
    const ours = plans.filter(({ winograd }) => winograd);
    if (ours.length) gpu.choices.set(work, ours[i % ours.length].name);
    return ours.length;
  }).length;
}
