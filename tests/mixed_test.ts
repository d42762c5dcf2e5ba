import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { errorMessage } from "../cli/error_message.ts";
import { trainRequest } from "../cli/options.ts";
import { adapterFact } from "../cli/report/header.ts";
import { TrainingBatches } from "../data/batches.ts";
import { DataError } from "../data/error.ts";
import { generatedSplit } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import { Gpu, GpuError } from "../kernels/gpu.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import { MATRIX_TILES } from "../kernels/matrix/tile.ts";
import { GPU, type Preset } from "../kernels/preset.ts";
import type { Precision } from "../kernels/program/trace.ts";
import type { Scope } from "../kernels/program/scope.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { adjoinedSpecs } from "../nn/compress/adjoined_state.ts";
import { model } from "../nn/families/mod.ts";
import { initialize } from "../nn/state.ts";
import { Learner } from "../train/learner.ts";
import { jobOn } from "../train/job.ts";
import { adapterWords } from "../train/precision.ts";
import { Snapshots } from "../train/resume/snapshots.ts";
import { SILENT } from "../train/silent.ts";
import { TrainingStep } from "../train/step.ts";
import { announce } from "../train/train.ts";
import type { RunStart } from "../train/types.ts";
import { relativeL2 } from "./op_suite.ts";

const BATCH = 8;
const NUMBERS = { lr: 0.05, momentum: 0.9, lambda: 1 };

async function prepare(
  scope: Scope,
  precision: Precision,
  { name = "resnet8", size = 16 }: { name?: string; size?: number } = {},
) {
  const { train, normalization } = generatedSplit({ train: 32, validation: 1, size, seed: 0 });
  const adjoined = adjoin(model(name, { classes: 10 }), { compression: 4 });
  const random = new Random(0, "initial weights");
  const specs = adjoinedSpecs(adjoined);
  const state = initialize(specs, adjoined.base, () => random.normal());
  // The last scale of a block begins at zero, which would hide the gradients of what lies before it.
  for (const [name, values] of state) if (/bn2\.weight$/.test(name)) values.fill(1);
  const learner = new Learner(scope, {
    specs,
    state,
    optimizer: { name: "sgd", weightDecay: 1e-4, nesterov: false },
  });
  const step = await TrainingStep.trace(scope, {
    objective: { mode: "adjoined", adjoined, detach: false },
    learner,
    feed: { dataset: train, normalization, batch: BATCH, image: { height: size, width: size } },
    labelSmoothing: 0,
    precision,
  });
  const batches = new TrainingBatches({ dataset: train, batch: BATCH, seed: 0 });
  return { step, learner, batches };
}

/** The preset of a GPU with loops in the place of matrix units. */
function withMatrices({ preset }: Gpu): Preset {
  const tiles = MATRIX_TILES.filter(({ rows, columns }) => rows === 32 && columns === 32);
  const matrices = { tiles, emulated: "vectors" } as const;
  return { ...preset, convolution: { ...preset.convolution, matrices } };
}

/** The gradients of all parameters after a step, without the scale of the loss. */
async function gradientsOf(
  gpu: Gpu,
  { step, learner: { gradients } }: Awaited<ReturnType<typeof prepare>>,
): Promise<Map<string, Float32Array>> {
  const { scaling } = step.singles;
  const names = gradients.specs.map(({ name }) => name);
  const tensors = names.map((name) => gradients.get(name));
  const [[scale], ...found] = await gpu.read(
    scaling ? [scaling, ...tensors] : [tensors[0], ...tensors],
  );
  return new Map(
    names.map((name, i) => [name, Float32Array.from(found[i], (g) => scaling ? g / scale : g)]),
  );
}

// A value that is off by 2^-11 of what is common has changed sides of a ReLU in one case of some
// thousand, and then its gradient comes or goes whole: of f such values the norm is off by √f, 1 to
// 3 % behind some layers. The gradients of a small network's scales are sums of few values.
const ALL_GRADIENTS = 0.05;
const ONE_GRADIENT = 0.25;

Deno.test("a mixed step learns what one in float32 does, to the rounding of half floats", async () => {
  const gpu = await Gpu.open();
  const units = await Gpu.open({ preset: withMatrices(gpu) });
  const losses: number[] = [];
  const gradients: Map<string, Float32Array>[] = [];
  for (const [on, precision] of [[gpu, "float32"], [gpu, "mixed"], [units, "mixed"]] as const) {
    using scope = on.scope();
    const prepared = await prepare(scope, precision);
    const { step, batches } = prepared;
    const [first, ...others] = batches.epoch(0);
    step.run(first, NUMBERS);
    gradients.push(await gradientsOf(on, prepared));
    // Loops in the place of matrix units take their time: one step of them is enough.
    if (on === units) continue;
    for (const batch of [...others, ...batches.epoch(1), ...batches.epoch(2)]) {
      step.run(batch, NUMBERS);
    }
    const { loss, lost } = await step.read();
    assertEquals(lost, { inRow: 0, all: 0 });
    losses.push(loss);
  }
  const [full, mixed] = losses;
  assert(full !== mixed && Math.abs(mixed / full - 1) < 0.01, `${mixed} is not ${full}`);
  const [wanted, ...found] = gradients;
  const all = (of: Map<string, Float32Array>): number[] => [...of.values()].flatMap((g) => [...g]);
  for (const each of found) {
    const error = relativeL2(all(each), all(wanted));
    assert(error <= ALL_GRADIENTS, `all gradients are ${error} off`);
    for (const [name, gradient] of wanted) {
      const error = relativeL2(each.get(name) ?? [], gradient);
      assert(error <= ONE_GRADIENT && gradient.some((g) => g !== 0), `${name} is ${error} off`);
    }
  }
  gpu.destroy();
  units.destroy();
});

Deno.test("a loss scaled too high is scaled down, and the steps that overflow change nothing", async () => {
  const gpu = await Gpu.open();
  using scope = gpu.scope();
  const { step, learner, batches } = await prepare(scope, "mixed");
  const { scaling } = step.singles;
  scope.write(scaling, [2 ** 24, 2 ** -24, 5, 0]);
  const before = await learner.read();
  const [first] = batches.epoch(0);
  step.run(first, NUMBERS);
  const [[halved, , row, overflows]] = await gpu.read([scaling]);
  assertEquals([halved, row, overflows], [2 ** 23, 0, 1]);
  assertEquals([...await learner.read()], [...before]);
  for (let i = 0; i < 16; i++) step.run(first, NUMBERS);
  const [[settled, inverse, good, all]] = await gpu.read([scaling]);
  const { lost, loss } = await step.read();
  assertEquals(lost, { inRow: 0, all: 0 });
  assert(good > 0 && all > 1 && settled === 2 ** (24 - all) && settled * inverse === 1);
  assert(Number.isFinite(loss));
  const after = await learner.read();
  assert([...after].some(([name, values]) => values.some((v, i) => v !== before.get(name)?.[i])));
  // No scale makes a loss a number.
  const { flat } = learner.parameters;
  scope.write(flat, new Float32Array(flat.shape[0]).fill(NaN));
  step.run(first, NUMBERS);
  assertEquals((await step.read()).lost, { inRow: 1, all: 1 });
  assertEquals((await gpu.read([scaling]))[0][0], settled);
  gpu.destroy();
});

Deno.test("a mixed step of ResNet-50 takes at most 0.6 times the memory of one in float32", async () => {
  const bytes: number[] = [];
  for (const precision of ["float32", "mixed"] as const) {
    const gpu = await Gpu.open({ device: nullDevice(typicalAdapter("gpu")), preset: GPU });
    using scope = gpu.scope();
    const { step } = await prepare(scope, precision, { name: "resnet50", size: 96 });
    bytes.push(step.program.bytes);
  }
  assert(bytes[1] <= 0.6 * bytes[0], `${bytes[1]} of ${bytes[0]} bytes`);
});

Deno.test("half floats are refused where the adapter has none", async () => {
  const typical = typicalAdapter("gpu");
  const gpu = await Gpu.open({ device: nullDevice({ ...typical, features: new Set() }) });
  using scope = gpu.scope();
  let found: unknown;
  await prepare(scope, "mixed").catch((error) => found = error);
  assert(found instanceof GpuError && /wanted the feature shader-f16/.test(found.message));
  // A run says so before it has a folder.
  const refused = assertThrows(() => adapterWords(gpu, "mixed"), GpuError);
  const command = ["train", "--precision", "mixed"];
  assertMatch(
    errorMessage(refused, command),
    /found none of that name; choose --precision float32$/,
  );
  assertEquals(adapterWords(gpu, "auto"), gpu.adapter);
});

Deno.test("a run goes on in mixed precision from a state in float32, with a scale of its own", async () => {
  const gpu = await Gpu.open({ device: nullDevice(typicalAdapter("gpu")), preset: GPU });
  const snapshots = async (precision: Precision) => {
    const { step, learner } = await prepare(gpu.scope(), precision);
    return await Snapshots.trace(gpu.scope(), [learner, step]);
  };
  const [plain, mixed] = [await snapshots("float32"), await snapshots("mixed")];
  const [from, scaled] = [await plain.take(), await mixed.take()];
  assertEquals([from.tensors.has("scaling"), scaled.tensors.has("scaling")], [false, true]);
  mixed.put(from);
  plain.put(scaled);
  const { guard: _, ...lacking } = Object.fromEntries(from.tensors);
  assertThrows(() => mixed.put({ ...from, tensors: new Map(Object.entries(lacking)) }), DataError);
});

Deno.test("what a run says of its adapter knows the precision, what it keeps does not", async () => {
  const gpu = await Gpu.open({ device: nullDevice(typicalAdapter("gpu")) });
  const flags = ["--precision", "mixed", "--batch-size", "8"];
  const { options } = trainRequest(readArguments("train", flags));
  const data = { train: 8, validation: 8, size: 16, seed: 0 };
  const starts: RunStart[] = [];
  const reporter = { ...SILENT, start: (start: RunStart) => void starts.push(start) };
  announce(gpu, jobOn({ split: generatedSplit(data) }, options), reporter);
  const [start] = starts;
  assertEquals([start.adapter, start.precision], [gpu.adapter, "mixed precision"]);
  assertEquals(adapterFact(start), ["adapter", adapterWords(gpu, "mixed")]);
});

Deno.test("a tensor of half floats holds what is written to it, rounded", async () => {
  const gpu = await Gpu.open();
  using scope = gpu.scope();
  const tensor = scope.tensor("halves", [2, 3], [0.1, -2, 65504, 1e-7, 1e5, 3], "f16");
  const [found] = await gpu.read([tensor]);
  assertEquals(tensor.bytes, 16);
  assertEquals([...found], [0.1, -2, 65504, 1e-7, 1e5, 3].map(Math.f16round));
  gpu.destroy();
});
