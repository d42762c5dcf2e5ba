// Copies of weights in half floats, which kernels of mixed precision read.
import { assert, assertEquals } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import { MATRIX_TILES } from "../kernels/matrix/tile.ts";
import { conv2d } from "../kernels/ops/conv2d.ts";
import { linear } from "../kernels/ops/linear.ts";
import { select } from "../kernels/ops/select.ts";
import { GPU, type Preset } from "../kernels/preset.ts";
import type { Program } from "../kernels/program/program.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Trace } from "../kernels/program/trace.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { adjoinedSpecs } from "../nn/compress/adjoined_state.ts";
import { model } from "../nn/families/mod.ts";
import { Parameters } from "../nn/parameters.ts";
import { initialize } from "../nn/state.ts";
import { generatedSplit } from "../data/generated.ts";
import { Learner } from "../train/learner.ts";
import { TrainingStep } from "../train/step.ts";
import { normals } from "./op_suite.ts";

const COPY = "weights in half floats";

const tiles = MATRIX_TILES.filter(({ rows, columns }) => rows === 32 && columns === 32);
const EMULATED: Preset = {
  ...GPU,
  convolution: { ...GPU.convolution, matrices: { tiles, emulated: "vectors" } },
};

/** The kernels of a replay by name. */
function kernelsOf({ actions }: Program): string[] {
  return actions.flatMap((action) => action.kind === "dispatch" ? [action.name] : []);
}

async function stepOn(preset: Preset): Promise<{ kernels: string[]; bytes: number }> {
  const gpu = await Gpu.open({ device: nullDevice(typicalAdapter("gpu")), preset });
  using scope = gpu.scope();
  const { train, normalization } = generatedSplit({ train: 8, validation: 1, size: 16, seed: 0 });
  const adjoined = adjoin(model("resnet8", { classes: 10 }), { compression: 4 });
  const specs = adjoinedSpecs(adjoined);
  const learner = new Learner(scope, {
    specs,
    state: initialize(specs, adjoined.base, () => 1),
    optimizer: { name: "sgd", weightDecay: 0, nesterov: false },
  });
  const { program } = await TrainingStep.trace(scope, {
    objective: { mode: "adjoined", adjoined, detach: false },
    learner,
    feed: { dataset: train, normalization, batch: 8, image: { height: 16, width: 16 } },
    labelSmoothing: 0,
    precision: "mixed",
  });
  return { kernels: kernelsOf(program), bytes: program.bytes };
}

Deno.test("a mixed step copies all weights to half floats in one kernel run, where some are read so", async () => {
  const { kernels } = await stepOn(EMULATED);
  assert(kernels.filter((name) => name.includes(tiles[0].name)).length > 20);
  assertEquals(kernels.filter((name) => name === COPY), [COPY]);
  assert(!(await stepOn(GPU)).kernels.includes(COPY));
});

const FILTER = [3, 3, 5, 7];
const DENSE = [7, 6];
const DRAWN = normals(3);
const VALUES = [FILTER, DENSE, [6]].map((shape) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b) }, DRAWN)
);
const PIXELS = Float32Array.from({ length: 2 * 6 * 6 * 5 }, DRAWN);
const ROWS = Float32Array.from({ length: 3 * 7 }, DRAWN);

/** What a convolution, one with some of its filters, and a linear layer come to; those filters. */
function record(
  trace: Trace,
  scope: Scope,
  [w, dense, bias]: readonly Tensor[],
): { kept: Tensor[]; some: Tensor } {
  const x = scope.tensor("x", [2, 6, 6, 5], PIXELS);
  const placed = { stride: 1, padding: 1 };
  const [y] = conv2d.forward(trace, [x, w], placed);
  const some = select.forward(trace, [w], { columns: [6, 0, 2] })[0];
  const [gathered] = conv2d.forward(trace, [x, some], placed);
  const [z] = linear.forward(trace, [scope.tensor("rows", [3, 7], ROWS), dense, bias], {
    prefix: false,
  });
  return { kept: [y, gathered, z].map((tensor) => trace.keep(tensor)), some };
}

Deno.test("what is computed with copies in half floats equals what is without, bit by bit", async () => {
  const gpu = await Gpu.open({ preset: EMULATED });
  using scope = gpu.scope();
  const specs = [FILTER, DENSE, [6]].map((shape, i) => ({ name: `w${i}`, shape }));
  const state = new Map(specs.map(({ name }, i) => [name, VALUES[i]]));
  const parameters = new Parameters(scope, "parameters", specs);
  parameters.load(state);
  const apart = specs.map(({ name, shape }, i) => scope.tensor(name, shape, VALUES[i]));
  const found: (Float32Array | Uint32Array)[][] = [];
  const names: string[][] = [];
  for (const weights of [apart, specs.map(({ name }) => parameters.get(name))]) {
    let { kept, some }: { kept: Tensor[]; some?: Tensor } = { kept: [] };
    const program = await scope.trace("weights", (trace) => {
      ({ kept, some } = record(trace, scope, weights));
    }, { precision: "mixed" });
    program.replay();
    assertEquals(some?.type, "f16");
    found.push(await gpu.read(kept));
    names.push(kernelsOf(program));
  }
  const [without, copied] = found;
  assertEquals(names.map((names) => names.filter((name) => name === COPY).length), [0, 1]);
  assertEquals(copied.map((values, i) => values.findIndex((v, k) => v !== without[i][k])), [
    -1,
    -1,
    -1,
  ]);
  assert(copied.every((values) => values.some((value) => value !== 0)));
  gpu.destroy();
});

Deno.test("a copy in half floats is made anew after the weights have changed", async () => {
  const gpu = await Gpu.open({ preset: EMULATED });
  using scope = gpu.scope();
  // Behind a bias, a filter begins where its copy is aligned, too.
  const specs = [{ name: "b", shape: [1] }, { name: "w", shape: [1, 1, 1, 1] }];
  const parameters = new Parameters(scope, "parameters", specs);
  parameters.load(new Map([["w", Float32Array.of(2)]]));
  const w = parameters.get("w");
  const other = scope.tensor("other", [64], Array(64).fill(3));
  const flat = scope.view("of the filter", parameters.flat, w.range?.start ?? 0, [64]);
  const x = scope.tensor("x", [1, 1, 1, 1], [1]);
  let kept: Tensor[] = [];
  const program = await scope.trace("changed weights", (trace) => {
    const product = () => conv2d.forward(trace, [x, w], { stride: 1, padding: 0 })[0];
    const before = product();
    trace.copy(other, flat);
    kept = [before, product()].map((y) => trace.keep(y));
  }, { precision: "mixed" });
  program.replay();
  assertEquals((await gpu.read(kept)).map(([value]) => value), [2, 3]);
  assertEquals(kernelsOf(program).filter((name) => name === COPY).length, 2);
  gpu.destroy();
});
