// Half floats that are loaded and stored 16 bytes at a time equal those of 8, bit by bit.
import { assert, assertEquals } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import type { Case, Op } from "../kernels/op.ts";
import { sigmoid } from "../kernels/ops/activations.ts";
import { add } from "../kernels/ops/add.ts";
import { batchNorm } from "../kernels/ops/batch_norm.ts";
import { dropout } from "../kernels/ops/dropout.ts";
import { relu } from "../kernels/ops/relu.ts";
import { GPU } from "../kernels/preset.ts";
import { Trace } from "../kernels/program/trace.ts";
import { assembleTrace } from "../kernels/program/assemble_trace.ts";
import { compute, describeInput, draw } from "./op_suite.ts";

/**
 * Two vec4 of channels, three, so that a pair is of two pixels, and an odd number of vec4 in all,
 * which are not taken in pairs; more pixels than invocations take at once.
 */
const SHAPES = [[2, 9, 7, 8], [2, 3, 5, 12], [1, 3, 5, 4], [2, 11, 3, 19]];

/** The first case of an op for images, with another image. */
function withImage<A>({ cases }: Op<A>, shape: readonly number[]): Case<A> {
  const test = cases.findLast(({ inputs }) => describeInput(inputs[0]).shape.length === 4);
  if (!test) throw new TypeError("no case is for images");
  const old = describeInput(test.inputs[0]).shape;
  return {
    ...test,
    inputs: test.inputs.map((input) => {
      const described = describeInput(input);
      const { shape: size } = described;
      const fits = String(size) === String(old)
        ? shape
        : size.length === 1 && size[0] === old[3]
        ? [shape[3]]
        : size;
      return { ...described, shape: fits };
    }),
  };
}

async function equal<A>(
  [wide, narrow]: readonly Gpu[],
  op: Op<A>,
  cases: readonly Case<A>[] = SHAPES.map((shape) => withImage(op, shape)),
): Promise<void> {
  for (const test of cases) {
    const { shape } = describeInput(test.inputs[0]);
    const sample = draw(test, 5);
    const size = op.reference(sample.values, test.attributes)[0].data.length;
    const dy = Float32Array.from({ length: size }, (_, i) => Math.sin(i));
    const [one, other] = [
      await compute(wide, op, test, sample, dy, "narrowed"),
      await compute(narrow, op, test, sample, dy, "narrowed"),
    ];
    const results = [[...one.outputs, ...one.gradients], [...other.outputs, ...other.gradients]];
    assert(one.padded && other.padded);
    results[0].forEach((found, i) => {
      const wanted = results[1][i];
      const differs = Array.from(found ?? []).findIndex((v, k) => !Object.is(v, wanted?.[k]));
      assertEquals(differs, -1, `${op.name} [${shape}], result ${i}`);
    });
  }
}

Deno.test("what works on half floats in pairs of vec4 equals what does not, bit by bit", async () => {
  const gpus = [
    await Gpu.open({ preset: { ...GPU, wide: true } }),
    await Gpu.open({ preset: { ...GPU, wide: false } }),
  ];
  await equal(gpus, relu);
  await equal(gpus, add);
  // Beyond what half floats can be, numbers that are none, and those next to 0.
  const far = (normal: () => number, i: number): number =>
    [60000, Infinity, NaN, 3e-8, -60000, 2e-5][i % 6] * (1 + 0.1 * Math.tanh(normal()));
  const shape = [2, 3, 5, 12];
  await equal(gpus, add, [
    { inputs: [{ shape, sample: far }, { shape, sample: far }], attributes: { relu: false } },
  ]);
  await equal(gpus, batchNorm);
  await equal(gpus, dropout);
  await equal(gpus, sigmoid);
  gpus.forEach((gpu) => gpu.destroy());
});

Deno.test("pairs of vec4 are for half floats, and for even numbers of vec4", async () => {
  const gpu = await Gpu.open({ preset: GPU });
  using scope = gpu.scope();
  const isWide = (shape: readonly number[], type: "f16" | "f32"): boolean => {
    const trace = new Trace(gpu, (tensor) => tensor, "mixed");
    relu.forward(trace, [scope.tensor("x", shape, undefined, type)], {});
    const [{ code }] = assembleTrace(trace).values();
    return code.includes("set_y_pair");
  };
  assert(isWide([1, 3, 2, 12], "f16"));
  assert(!isWide([1, 3, 5, 12], "f16"));
  assert(!isWide([1, 3, 2, 12], "f32"));
  gpu.destroy();
});
