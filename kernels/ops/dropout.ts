import {
  checkDropping,
  DROP_DIMS,
  dropDims,
  DROPPING,
  type Dropping,
  keeps,
} from "../wgsl/dropping.ts";
import { elementwise, spread } from "../wgsl/elementwise.ts";
import type { Case, Op } from "../op.ts";
import { paddedElements, type Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** Attributes of a dropout. */
export type DropoutAttributes = Dropping;

const drop = elementwise({
  name: "dropout",
  reads: { x: "bulk", noise: "u32" },
  dims: DROP_DIMS,
  functions: `${DROPPING}
fn dropped(v: vec4f, at: u32) -> vec4f {
  let key = key();
  let i = at * 4u;
  let stays = vec4(kept(i, key), kept(i + 1u, key), kept(i + 2u, key), kept(i + 3u, key));
  return select(vec4f(), v * dims.scale, stays);
}`,
  value: (at) => `dropped(x(${at}), ${at})`,
});

function recordDrop(
  trace: Trace,
  x: Tensor,
  { name, noise, attributes }: { name: string; noise: Tensor; attributes: DropoutAttributes },
): Tensor {
  const y = trace.tensor(name, x.shape);
  const { dims, workgroups } = spread(y);
  trace.run(drop, {
    reads: { x, noise },
    writes: { y },
    dims: { ...dims, ...dropDims(attributes) },
    workgroups,
  });
  return y;
}

function on(
  shape: readonly number[],
  attributes: DropoutAttributes,
  noise: readonly [seed: number, step: number],
): Case<DropoutAttributes> {
  return {
    inputs: [shape, { shape: [2], type: "u32", sample: (_, i) => noise[i] }],
    attributes,
  };
}

/**
 * `dropout(x, noise)`: of any shape, each element 0 with probability `rate`, and else divided by
 * 1 - rate. The noise `[2]`, u32, is (seed, step): the same noise and stream drop the same elements.
 */
export const dropout: Op<DropoutAttributes> = {
  name: "dropout",
  forward: (trace, [x, noise], attributes) => {
    checkDropping("dropout", noise, attributes);
    return [recordDrop(trace, x, { name: "dropout", noise, attributes })];
  },
  // What is dropped is drawn again, rather than kept in memory.
  vjp: (trace, { inputs: [, noise], attributes }, dy) => [
    recordDrop(trace, dy, { name: "ddropout", noise, attributes }),
    null,
  ],
  reference: ([{ shape, data }, noise], attributes) => {
    checkDropping("dropout", noise, attributes);
    const kept = keeps(attributes, noise.data);
    const channels = shape.at(-1) ?? 1;
    const row = paddedElements([channels]);
    return [{
      shape,
      data: data.map((v, i) => {
        const word = Math.floor(i / channels) * row + i % channels;
        return kept(word) ? v / (1 - attributes.rate) : 0;
      }),
    }];
  },
  cases: [
    on([1], { rate: 0, stream: 0 }, [0, 0]),
    on([65], { rate: 0.5, stream: 3 }, [0, 0]),
    on([7, 17], { rate: 0.2, stream: 0 }, [1, 5]),
    on([2, 3, 5, 7], { rate: 0.9, stream: 4294967295 }, [12345, 16777215]),
    on([1, 23, 29, 20], { rate: 0.1, stream: 12 }, [7, 100000]),
  ],
};
