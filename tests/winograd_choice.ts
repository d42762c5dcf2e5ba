import type { Work } from "../kernels/conv/work.ts";
import { geometry, type Placement } from "../kernels/wgsl/geometry.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { tunablePlans } from "../kernels/conv/tunable_plans.ts";

const DIRECTIONS = ["forward", "input gradient", "weight gradient"] as const;

/** Those of an input and a filter. */
export type Shapes = readonly [x: readonly number[], w: readonly number[]];

/** A convolution and its gradients. */
export function worksOf([x, w]: Shapes, attributes: Placement): Work[] {
  const g = geometry("conv2d", { shape: x }, { shape: w }, attributes);
  return DIRECTIONS.map((direction) => ({ direction, geometry: g }));
}

/** Chooses the `i`-th of Winograd's plans for each direction that has any; returns how many have. */
export function chooseWinograd(gpu: Gpu, works: readonly Work[], i: number): number {
  return works.filter((work) => {
    const ours = tunablePlans(gpu, work).filter(({ algorithm }) => algorithm === "winograd");
    if (ours.length) gpu.choices.set(work, ours[i % ours.length].name);
    return ours.length;
  }).length;
}
