import { elements } from "../../kernels/gpu/tensor.ts";
import type { State } from "../parameters.ts";
import type { Pretrained } from "../pretrained.ts";
import { SMALL } from "../state.ts";
import type { Adjoined } from "./adjoin.ts";
import { adjoinedSpecs, extract, smallSpecs } from "./adjoined_state.ts";

/**
 * Values that fit the base network, and with them the norms that the small network has to itself:
 * scale, shift and running statistics of the first channels, as its convolutions are the first
 * filters.
 */
export function withSmallNorms(adjoined: Adjoined, pretrained: Pretrained): Pretrained {
  const { parameters, statistics } = smallSpecs(adjoined);
  const state: State = new Map(pretrained.state);
  for (const { name, shape } of [...parameters, ...statistics]) {
    const whole = pretrained.state.get(name.slice(SMALL.length));
    if (whole) state.set(name, whole.slice(0, elements(shape)));
  }
  return { ...pretrained, state };
}

/**
 * Values that fit the base network, cut to the small one: prefix slices, as {@link extract} does.
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
