import { elements } from "../../kernels/gpu/tensor.ts";
import type { State } from "../parameters.ts";
import type { Pretrained } from "../pretrained.ts";
import type { Adjoined } from "./adjoin.ts";
import { adjoinedSpecs, extract } from "./adjoined_state.ts";
import { ownParameters, takePart } from "./cut_parameters.ts";

/**
 * Values that fit the base network, and with them the norms that the small network has to itself:
 * scale, shift and running statistics of the channels that it keeps.
 */
export function withSmallNorms(adjoined: Adjoined, pretrained: Pretrained): Pretrained {
  const state: State = new Map(pretrained.state);
  for (const { name, base, parameter, kept } of ownParameters(adjoined)) {
    const whole = pretrained.state.get(base);
    if (whole) state.set(name, takePart(whole, parameter, kept));
  }
  return { ...pretrained, state };
}

/**
 * Values that fit the base network, cut to the small one, as {@link extract} does.
 */
export function cutPretrained(adjoined: Adjoined, pretrained: Pretrained): Pretrained {
  const { parameters, statistics } = adjoinedSpecs(adjoined);
  const whole: State = new Map([
    ...[...parameters, ...statistics].map(({ name, shape }) =>
      [name, new Float32Array(elements(shape))] as const
    ),
    ...withSmallNorms(adjoined, pretrained).state,
  ]);
  const cut = [...extract(adjoined, whole)].filter(([name]) => pretrained.state.has(name));
  return { ...pretrained, state: new Map(cut) };
}
