import { elements } from "../../kernels/gpu/tensor.ts";
import type { State } from "../parameters.ts";
import type { Pretrained } from "../pretrained.ts";
import { kindOf } from "../layers/mod.ts";
import { nameOf, ownName, parametersOf } from "../state.ts";
import type { Adjoined } from "./adjoin.ts";
import { adjoinedSpecs, extract } from "./adjoined_state.ts";
import { partOf, takePart } from "./cut_parameters.ts";

/**
 * Values that fit the base network, and with them the norms that the small network has to itself:
 * scale, shift and running statistics of the channels that it keeps.
 */
export function withSmallNorms(adjoined: Adjoined, pretrained: Pretrained): Pretrained {
  const { small, base, shared, origin, kept } = adjoined;
  const parameters = parametersOf(base);
  const state: State = new Map(pretrained.state);
  small.layers.forEach((layer, i) => {
    if (!kindOf(layer).perNetwork || shared[origin[i]]) return;
    for (const parameter of parameters[origin[i]]) {
      const whole = pretrained.state.get(`${nameOf(layer)}.${parameter.part}`);
      if (!whole) continue;
      const cut = partOf(parameter, kept[i]);
      const own = cut ? takePart(whole, parameter.shape, cut) : whole.slice();
      state.set(`${ownName(nameOf(layer), "small")}.${parameter.part}`, own);
    }
  });
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
