import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Input, Op, Values } from "../op.ts";
import { elements, paddedElements, type Tensor } from "../gpu/tensor.ts";
import { HASH, hash } from "../wgsl/hash.ts";

// One workgroup, as the last thing it does is to count its draw.
const draw = defineKernel({
  name: "gumbel noise",
  workgroupSize: 64,
  reads: {},
  writes: { noise: "f32", counter: "u32" },
  dims: { words: "u32", candidates: "u32", row_words: "u32" },
  wgsl: /* wgsl */ `
${HASH}fn main(workgroup: u32, lane: u32) {
  let key = hash(counter[1] + hash(counter[0]));
  for (var i = lane; i < dims.words; i += 64u) {
    // u and 1 - u lie in (0, 1), both exactly; the logarithm is imprecise where u is near 1.
    let bits = hash(i + key) >> 9u;
    let u = (f32(bits) + 0.5) * 0x1p-23;
    let v = (f32(0x7fffffu - bits) + 0.5) * 0x1p-23;
    let drawn = -log(select(-log(u), v * (1.0 + v * (0.5 + v / 3.0)), v < 0.01));
    noise[i] = select(0.0, drawn, i % dims.row_words < dims.candidates);
  }
  workgroupBarrier();
  if (lane == 0u) { counter[1] += 1u; }
}`,
  iterations: ({ words }) => Math.ceil(words / 64) + 1,
});

function checkNoise([noise, counter]: readonly (Tensor | Values)[]): void {
  if (noise.shape.length !== 2 || String(counter.shape) !== "2") {
    throw new TypeError(
      `Cannot apply gumbel noise: wanted noise [groups, candidates] and a counter [2], found ` +
        `[${noise.shape}] and [${counter.shape}]`,
    );
  }
}

const integers = (seed: number, step: number): Input => ({
  shape: [2],
  type: "u32",
  sample: (_, i) => [seed, step][i],
  differentiable: false,
});

const noiseCase = (groups: number, candidates: number, counter: Input): Case<object> => ({
  inputs: [{ shape: [groups, candidates], differentiable: false }, counter],
  attributes: {},
});

/**
 * `gumbelNoise(noise, counter)` overwrites noise `[groups, candidates]` with independent draws from
 * the standard Gumbel distribution, -log(-log(u)). The counter `[2]`, u32, is (seed, draw): the
 * same counter gives the same noise, and each draw counts itself.
 */
export const gumbelNoise: Op = {
  name: "gumbel noise",
  forward: (trace, inputs) => {
    checkNoise(inputs);
    const [noise, counter] = inputs;
    trace.run(draw, {
      reads: {},
      writes: { noise, counter },
      dims: {
        words: noise.words,
        candidates: noise.shape[1],
        row_words: noise.words / noise.shape[0],
      },
      workgroups: 1,
    });
    return [noise, counter];
  },
  vjp: "none",
  reference: (inputs) => {
    checkNoise(inputs);
    const [{ shape }, counter] = inputs;
    const [seed, step] = counter.data;
    const key = hash((step + hash(seed)) >>> 0);
    const [, columns] = shape;
    const stride = paddedElements([1, columns]);
    const data = Float64Array.from({ length: elements(shape) }, (_, i) => {
      const word = Math.floor(i / columns) * stride + i % columns;
      const bits = hash((word + key) >>> 0) >>> 9;
      return -Math.log(-Math.log((bits + 0.5) / 2 ** 23));
    });
    return [{ shape, data }, { shape: [2], data: Float64Array.of(seed, step + 1) }];
  },
  cases: [
    noiseCase(1, 1, integers(0, 0)),
    noiseCase(7, 3, integers(1, 0)),
    noiseCase(33, 5, integers(16777215, 17)),
    noiseCase(130, 4, integers(12345, 100000)),
  ],
};
