import type { Tensor } from "../../kernels/gpu/tensor.ts";
import { run, type Running, type Soft } from "../forward.ts";
import type { Adjoined } from "./adjoin.ts";
import { cutParameters } from "./cut_parameters.ts";

/**
 * Logits of both networks. The shared trunk runs first, then the small network, then the base, so
 * that on the way back the base network's whole weight gradients are written before the small
 * network's slices are added to them.
 */
export function runAdjoined(
  adjoined: Adjoined,
  image: Tensor,
  running: Running,
  soft?: Soft,
): { base: Tensor; small: Tensor } {
  const { base, small, shared, origin } = adjoined;
  const trunk = run(base, image, running, { norms: "base", includes: (i) => shared[i] });
  const smallValues = run(small, image, running, {
    norms: "small",
    cuts: cutParameters(adjoined),
    soft,
    known: (i) => origin[i] >= 0 && shared[origin[i]] ? trunk[origin[i]] : undefined,
  });
  const baseValues = run(base, image, running, { norms: "base", known: (i) => trunk[i] });
  return {
    base: baseValues[base.layers.length - 1],
    small: smallValues[small.layers.length - 1],
  };
}
