import type { Tensor } from "../../kernels/gpu/tensor.ts";
import { run, type Running, type Soft } from "../forward.ts";
import type { Adjoined } from "./adjoin.ts";
import { cutParameters } from "./cut_parameters.ts";

/**
 * The logits of the small network alone, and the values of the shared trunk, which may be run in
 * another way.
 */
export function runSmall(
  adjoined: Adjoined,
  image: Tensor,
  { trunk: running, small: own, soft }: {
    readonly trunk: Running;
    readonly small: Running;
    readonly soft?: Soft;
  },
): { small: Tensor; trunk: Tensor[] } {
  const { base, small, shared, origin } = adjoined;
  const trunk = run(base, image, running, { norms: "base", includes: (i) => shared[i] });
  const values = run(small, image, own, {
    norms: "small",
    // So that both drop the same images of a branch.
    origin,
    cuts: cutParameters(adjoined),
    soft,
    known: (i) => origin[i] >= 0 && shared[origin[i]] ? trunk[origin[i]] : undefined,
  });
  return { small: values[small.layers.length - 1], trunk };
}

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
  const { small, trunk } = runSmall(adjoined, image, { trunk: running, small: running, soft });
  const { base } = adjoined;
  const values = run(base, image, running, { norms: "base", known: (i) => trunk[i] });
  return { base: values[base.layers.length - 1], small };
}
