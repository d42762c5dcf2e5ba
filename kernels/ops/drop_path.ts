import {
  checkDropping,
  DROP_DIMS,
  dropDims,
  DROPPING,
  type Dropping,
  keeps,
} from "../wgsl/dropping.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import { elements, type Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import { walk, WALK_DIMS, walkIterations, walkOver } from "../wgsl/walk.ts";

/** Attributes of stochastic depth. */
export type DropPathAttributes = Dropping;

const drop = defineKernel({
  name: "drop path",
  workgroupSize: LANES,
  reads: { x: "bulk", noise: "u32" },
  writes: { y: "bulk" },
  dims: { ...WALK_DIMS, ...DROP_DIMS },
  wgsl: DROPPING + walk({
    once: "let stays = kept(row, key());",
    body: "set_y(at, select(vec4f(), x(at) * dims.scale, stays));",
  }),
  iterations: (dims) => walkIterations(dims),
});

function recordDrop(
  trace: Trace,
  x: Tensor,
  { name, noise, attributes }: { name: string; noise: Tensor; attributes: DropPathAttributes },
): Tensor {
  const y = trace.tensor(name, x.shape);
  const [batch, ...inner] = x.shape;
  const channels = inner.at(-1) ?? 1;
  const { dims, workgroups } = walkOver({
    rows: batch,
    width: elements(inner) / channels,
    channels,
  });
  trace.run(drop, {
    reads: { x, noise },
    writes: { y },
    dims: { ...dims, ...dropDims(attributes) },
    workgroups,
  });
  return y;
}

function checkInput(
  { shape }: { readonly shape: readonly number[] },
  noise: { readonly shape: readonly number[] },
  attributes: DropPathAttributes,
): void {
  if (shape.length < 2) {
    throw new TypeError(
      `Cannot apply drop path: wanted an input [batch, ..., channels], found [${shape}]`,
    );
  }
  checkDropping("drop path", noise, attributes);
}

function on(
  shape: readonly number[],
  attributes: DropPathAttributes,
  noise: readonly [seed: number, step: number],
): Case<DropPathAttributes> {
  return {
    inputs: [shape, { shape: [2], type: "u32", sample: (_, i) => noise[i] }],
    attributes,
  };
}

/**
 * `dropPath(x, noise)`: stochastic depth. Of x `[batch, ..., channels]`, each image is 0 with
 * probability `rate`, and else divided by 1 - rate. The noise `[2]`, u32, is (seed, step): the same
 * noise and stream drop the same images.
 */
export const dropPath: Op<DropPathAttributes> = {
  name: "drop path",
  forward: (trace, [x, noise], attributes) => {
    checkInput(x, noise, attributes);
    return [recordDrop(trace, x, { name: "drop path", noise, attributes })];
  },
  // What is dropped is drawn again, rather than kept in memory.
  vjp: (trace, { inputs: [, noise], attributes }, dy) => [
    recordDrop(trace, dy, { name: "ddrop path", noise, attributes }),
    null,
  ],
  reference: ([x, noise], attributes) => {
    checkInput(x, noise, attributes);
    const { shape, data } = x;
    const kept = keeps(attributes, noise.data);
    const image = data.length / shape[0];
    const drop = (v: number, i: number): number =>
      kept(Math.floor(i / image)) ? v / (1 - attributes.rate) : 0;
    return [{ shape, data: data.map(drop) }];
  },
  cases: [
    on([1, 1], { rate: 0, stream: 0 }, [0, 0]),
    on([65, 3], { rate: 0.5, stream: 3 }, [0, 0]),
    on([33, 2, 5, 7], { rate: 0.2, stream: 4294967295 }, [12345, 16777215]),
    on([5, 13, 9, 20], { rate: 0.7, stream: 12 }, [7, 100000]),
  ],
};
