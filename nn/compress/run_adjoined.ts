import type { Tensor } from "../../kernels/gpu/tensor.ts";
import { run, type Running, type Soft } from "../forward.ts";
import type { Adjoined } from "./adjoin.ts";
import { cutParameters } from "./cut_parameters.ts";
import { pairsIn } from "./pairs.ts";

/** The values of the layers of the base network that run once for it and for small networks. */
function runTrunk(pairs: readonly Adjoined[], image: Tensor, running: Running): Tensor[] {
  return run(pairs[0].base, image, running, {
    norms: "base",
    includes: (i) => pairs.some(({ shared }) => shared[i]),
  });
}

/** The logits of a small network, given the values of the shared trunk. */
function runSmall(
  adjoined: Adjoined,
  image: Tensor,
  { trunk, running, soft }: {
    readonly trunk: readonly Tensor[];
    readonly running: Running;
    readonly soft?: Soft;
  },
): Tensor {
  const { which, small, shared, origin } = adjoined;
  const values = run(small, image, running, {
    norms: which,
    // So that both drop the same images of a branch.
    origin,
    cuts: cutParameters(adjoined),
    soft,
    known: (i) => origin[i] >= 0 && shared[origin[i]] ? trunk[origin[i]] : undefined,
  });
  return values[small.layers.length - 1];
}

/** The logits of small networks alone; the trunk that they share may be run in another way. */
export function runSmalls(
  adjoined: Adjoined | readonly Adjoined[],
  image: Tensor,
  { trunk: running, small }: { readonly trunk: Running; readonly small: Running },
): Tensor[] {
  const pairs = pairsIn(adjoined);
  const trunk = runTrunk(pairs, image, running);
  return pairs.map((pair) => runSmall(pair, image, { trunk, running: small }));
}

/**
 * Logits of a base network and its small ones, in their order. The shared trunk runs first, then the
 * small networks, then the base, so that on the way back the base network's whole weight gradients
 * are written before the slices of the small ones are added to them.
 */
export function runPairs(
  pairs: readonly Adjoined[],
  image: Tensor,
  running: Running,
  soft?: Soft,
): { base: Tensor; smalls: Tensor[] } {
  const [{ base }] = pairsIn(pairs);
  const trunk = runTrunk(pairs, image, running);
  const smalls = pairs.map((pair) => runSmall(pair, image, { trunk, running, soft }));
  const values = run(base, image, running, { norms: "base", known: (i) => trunk[i] });
  return { base: values[base.layers.length - 1], smalls };
}

/** Logits of both networks of a pair. */
export function runAdjoined(
  adjoined: Adjoined,
  image: Tensor,
  running: Running,
  soft?: Soft,
): { base: Tensor; small: Tensor } {
  const { base, smalls: [small] } = runPairs([adjoined], image, running, soft);
  return { base, small };
}
