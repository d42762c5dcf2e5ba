import { assert, assertRejects } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { ops } from "../kernels/mod.ts";
import {
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  relu6,
  sigmoid,
  silu,
} from "../kernels/ops/activations.ts";
import { layerNorm } from "../kernels/ops/layer_norm.ts";
import { multiply } from "../kernels/ops/multiply.ts";
import { scaleChannels } from "../kernels/ops/scale_channels.ts";
import type { Case, Op } from "../kernels/op.ts";
import { normalBelow } from "../kernels/wgsl/normal_distribution.ts";
import { check, compute, draw } from "./op_suite.ts";

const EXTREME = [0, -0, 1e-38, -1e-38, 30, -30, 88, -88, 104, -104, 1e5, -1e5, 3e38, -3e38];

/** What an activation makes of these numbers, and its slopes there. */
async function at<A>(gpu: Gpu, op: Op<A>, attributes: A, x: readonly number[]): Promise<{
  x: readonly number[];
  y: readonly number[];
  slopes: readonly number[];
}> {
  const test = { inputs: [{ shape: [x.length], sample: (_: unknown, i: number) => x[i] }] };
  const sample = draw({ ...test, attributes }, 1);
  const { outputs: [y], gradients: [slopes] } = await compute(
    gpu,
    op,
    { ...test, attributes },
    sample,
    x.map(() => 1),
  );
  return { x: [...sample.values[0].data], y: Array.from(y), slopes: Array.from(slopes ?? []) };
}

Deno.test("no activation makes infinity or NaN of large numbers, and NaN stays NaN", async () => {
  const gpu = await Gpu.open();
  const each = async <A>(op: Op<A>, attributes: A): Promise<void> => {
    const { x, y, slopes } = await at(gpu, op, attributes, EXTREME);
    const [{ data }] = op.reference(
      [{ shape: [x.length], data: Float64Array.from(x) }],
      attributes,
    );
    y.forEach((value, i) => {
      const error = Math.abs(value - data[i]) / Math.max(1, Math.abs(data[i]));
      assert(error < 1e-6, `${op.name} of ${x[i]} is ${value}, wanted ${data[i]}`);
      assert(Math.abs(slopes[i]) < 1.2, `the slope of ${op.name} at ${x[i]} is ${slopes[i]}`);
    });
    const { y: [lost] } = await at(gpu, op, attributes, [NaN]);
    assert(Number.isNaN(lost), `${op.name} makes ${lost} of NaN`);
  };
  try {
    for (const op of [sigmoid, hardSigmoid, silu, hardSwish, relu6, gelu]) await each(op, {});
    await each(leakyRelu, { slope: 0.01 });
  } finally {
    gpu.destroy();
  }
});

Deno.test("gelu and its slope are within 1e-6 of float64", async () => {
  const gpu = await Gpu.open();
  try {
    const grid = Array.from({ length: 24_001 }, (_, i) => i / 1000 - 12);
    const { x, y, slopes } = await at(gpu, gelu, {}, grid);
    let [value, slope] = [0, 0];
    x.forEach((at, i) => {
      const below = normalBelow(at);
      const bell = Math.exp(-at * at / 2) / Math.sqrt(2 * Math.PI);
      value = Math.max(value, Math.abs(y[i] - at * below) / Math.max(1, at));
      slope = Math.max(slope, Math.abs(slopes[i] - below - at * bell));
    });
    assert(value < 3e-7, `gelu is ${value} off`);
    assert(slope < 1e-6, `its slope is ${slope} off`);
  } finally {
    gpu.destroy();
  }
});

Deno.test("the normal distribution in float64 is that of the tables", () => {
  // Φ(1), Φ(-2), Φ(3) to 15 digits.
  const known = [[1, 0.841344746068543], [-2, 0.0227501319481792], [3, 0.99865010196837]];
  for (const [x, below] of known) assert(Math.abs(normalBelow(x) - below) < 2e-15, `${x}`);
  assert(normalBelow(40) === 1 && normalBelow(-40) === 0);
});

const REFUSED: readonly {
  op: Op;
  inputs: Case<object>["inputs"];
  attributes?: object;
  error: typeof TypeError | typeof RangeError;
  text: string;
}[] = [
  {
    op: multiply,
    inputs: [[2, 3, 5, 7], [2, 1, 5, 7]],
    error: TypeError,
    text: "Cannot apply multiply: the inputs have shapes [2,3,5,7] and [2,1,5,7]; they must be " +
      "equal, or one of them [batch, 1, 1, channels]",
  },
  {
    op: multiply,
    inputs: [[1, 1, 1, 7], [2, 3, 5, 7]],
    error: TypeError,
    text: "Cannot apply multiply: the inputs have shapes [1,1,1,7] and [2,3,5,7]",
  },
  {
    op: scaleChannels,
    inputs: [[2, 3], [2]],
    error: TypeError,
    text: "Cannot apply scale channels: the input has shape [2,3] and the factors [2]; wanted " +
      "factors [3]",
  },
  {
    op: scaleChannels,
    inputs: [[1, 4097], [4097]],
    error: RangeError,
    text: "Cannot apply scale channels: wanted at most 4096 channels, found 4097",
  },
  {
    op: layerNorm,
    inputs: [[2, 3], [3], [2]],
    attributes: { eps: 1e-6 },
    error: TypeError,
    text: "Cannot apply layer norm: the input has shape [2,3] and bias [2]; wanted bias [3]",
  },
  {
    op: layerNorm,
    inputs: [[1, 4097], [4097], [4097]],
    attributes: { eps: 1e-6 },
    error: RangeError,
    text: "Cannot apply layer norm: wanted at most 4096 channels, found 4097",
  },
  {
    op: layerNorm,
    inputs: [[2, 3], [3], [3]],
    attributes: { eps: 0 },
    error: RangeError,
    text: "Cannot apply layer norm: wanted an eps above 0, found 0",
  },
  {
    op: leakyRelu,
    inputs: [[2, 3]],
    attributes: { slope: -1 },
    error: RangeError,
    text: "Cannot apply leaky relu: wanted a finite slope from 0 on, found -1",
  },
];

Deno.test("products, norms and slopes that cannot be are refused by name", async () => {
  const gpu = await Gpu.open();
  try {
    for (const { op, inputs, attributes = {}, error, text } of REFUSED) {
      assert(ops.includes(op));
      await assertRejects(() => check(gpu, op, { inputs, attributes }, { seed: 1 }), error, text);
    }
  } finally {
    gpu.destroy();
  }
});
