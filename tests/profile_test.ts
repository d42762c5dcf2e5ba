// What kernels compute and move, and what a profile makes of it.
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { matrixRoof } from "../bench/matrix_roof.ts";
import { limitOf, profileLines, type StepProfile, stepProfile } from "../bench/profile.ts";
import { PRODUCT_ALGORITHMS } from "../kernels/conv/convolution.ts";
import { useMatrices } from "../kernels/conv/matrix_tiles.ts";
import type { Plan } from "../kernels/conv/algorithm.ts";
import { WEIGHT_GRADIENT_ALGORITHMS } from "../kernels/conv/weight_gradient.ts";
import { operandShapes, recordWork } from "../kernels/conv/record_work.ts";
import type { Work } from "../kernels/conv/work.ts";
import { Gpu } from "../kernels/gpu.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import { emulatedOperations } from "../kernels/matrix/emulated.ts";
import type { MatrixOperations } from "../kernels/matrix/operations.ts";
import { narrow, relu, sgd } from "../kernels/mod.ts";
import { costOf } from "../kernels/program/cost.ts";
import { passTimes } from "../kernels/program/pass_times.ts";
import { profile } from "../kernels/program/profile.ts";
import { type Precision, Trace } from "../kernels/program/trace.ts";
import { geometry } from "../kernels/wgsl/geometry.ts";
import { count } from "../nn/count.ts";
import { model } from "../nn/families/mod.ts";
import { adjoinCommand } from "./command.ts";
import { lacks } from "./permissions.ts";

/** What a program of a ReLU of a ReLU, of images inside it, moves and computes, by name. */
async function reluCosts(gpu: Gpu, precision: Precision, shape: readonly number[]) {
  using scope = gpu.scope();
  const x = scope.tensor("x", shape);
  const program = await scope.trace("relus", (trace) => {
    const [y] = relu.forward(trace, [x], {}).map((y) => trace.value(y));
    const [z] = relu.forward(trace, [y], {}).map((z) => trace.value(z));
    trace.keep(narrow.forward(trace, [z], { channels: 4 })[0]);
  }, { precision });
  return program.actions.map(({ name, cost: { bytes, flops } }) => ({ name, bytes, flops }));
}

Deno.test("a ReLU of N numbers moves 8 N bytes, half floats half of it", async () => {
  const gpu = await Gpu.open({ device: nullDevice(typicalAdapter("gpu")) });
  const numbers = 2 * 3 * 3 * 8;
  const rows: [Precision, number, number][] = [["float32", 8, 8], ["mixed", 6, 4]];
  for (const [precision, first, second] of rows) {
    assertEquals(await reluCosts(gpu, precision, [2, 3, 3, 8]), [
      // The first reads float32 from outside.
      { name: "relu", bytes: first * numbers, flops: numbers },
      { name: "relu", bytes: second * numbers, flops: numbers },
      // It reads no more than it writes, which is copied and so stays float32.
      { name: "narrow", bytes: (second / 2 + 4) * numbers / 2, flops: numbers / 2 },
      { name: "copy", bytes: 8 * numbers / 2, flops: 0 },
    ], precision);
  }
  gpu.destroy();
});

/** The runs that say what they compute, out of what `record` records. */
function computed(gpu: Gpu, record: (trace: Trace) => void) {
  const trace = new Trace(gpu, (tensor) => tensor);
  record(trace);
  return trace.commands.filter((command) => command.kind === "dispatch")
    .filter(({ flops }) => flops !== undefined);
}

const DIRECTIONS = ["forward", "input gradient", "weight gradient"] as const;

/** Works with masks, slices, strides, groups and one tap, and their multiply-accumulates. */
const WORKS = [
  {
    geometry: geometry("conv2d", { shape: [2, 8, 8, 5] }, { shape: [3, 3, 5, 12] }, {
      ...{ stride: 2, padding: 1, keepOut: 6 },
      keptTaps: Array.from({ length: 9 }, (_, tap) => tap % 2 === 1),
    }),
    macs: 2 * 4 * 4 * 4 * 5 * 6,
    name: "3x3 5->6 @8x8 stride 2 4 taps",
  },
  {
    geometry: geometry("conv2d", { shape: [2, 8, 8, 16] }, { shape: [3, 3, 1, 16] }, {
      ...{ stride: 1, padding: 1, groups: 16 },
    }),
    macs: 2 * 8 * 8 * 9 * 16,
    name: "3x3 16->16 @8x8 groups 16",
  },
  {
    geometry: geometry("conv2d", { shape: [2, 8, 8, 128] }, { shape: [3, 3, 128, 128] }, {
      ...{ stride: 1, padding: 1 },
    }),
    macs: 2 * 8 * 8 * 9 * 128 * 128,
    name: "3x3 128->128 @8x8",
  },
];

Deno.test("a convolution computes 2 operations to a multiply-accumulate, and so its gradients", async () => {
  for (const kind of ["gpu", "software"] as const) {
    const gpu = await Gpu.open({ device: nullDevice(typicalAdapter(kind)) });
    for (const { geometry: g, macs, name } of WORKS) {
      for (const direction of DIRECTIONS) {
        const found = computed(gpu, (trace) => {
          const { x, w, y } = operandShapes(g);
          const [a, b, c] = [x, w, y].map((shape) => trace.tensor("operand", shape));
          recordWork(trace, { direction, geometry: g }, { x: a, w: b, y: c });
        });
        assertEquals(found.map(({ flops }) => flops), [2 * macs], `${kind} ${direction} ${name}`);
        assertEquals(found[0].work, `${direction} ${name}`);
      }
    }
    gpu.destroy();
  }
});

Deno.test("every algorithm of a convolution says what it computes, Winograd's 16 products for 36", async () => {
  const gpu = await Gpu.open({ device: nullDevice(typicalAdapter("gpu")) });
  useMatrices(gpu, emulatedOperations({ vectors: true }));
  const { geometry: g, macs } = WORKS[2];
  const { x, w, y } = operandShapes(g);
  const flopsOf = (plan: { algorithm: string }, record: (trace: Trace) => void) => {
    const sum = computed(gpu, record).reduce((sum, { flops = 0 }) => sum + flops, 0);
    assertEquals(sum, (plan.algorithm === "winograd" ? 16 / 36 : 1) * 2 * macs, plan.algorithm);
  };
  const plans = <O, R>(
    algorithms: readonly { plans(gpu: Gpu, work: Work, most: number): readonly Plan<O, R>[] }[],
    direction: Work["direction"],
  ): Plan<O, R>[] =>
    [{}, { precision: "mixed" } as const].flatMap((kept) =>
      algorithms.flatMap((one) => one.plans(gpu, { direction, geometry: g, ...kept }, 1))
    );
  for (const direction of ["forward", "input gradient"] as const) {
    const found = plans(PRODUCT_ALGORITHMS, direction);
    for (const name of ["winograd", "matrix product"]) {
      assert(found.some(({ algorithm }) => algorithm === name), name);
    }
    for (const plan of found) {
      flopsOf(plan, (trace) => {
        const [from, filter, to] = [x, w, y].map((shape) => trace.tensor("operand", shape));
        plan.record(trace, { direction, geometry: g, x: from, w: filter, y: to, epilogue: {} });
      });
    }
  }
  for (const plan of plans(WEIGHT_GRADIENT_ALGORITHMS, "weight gradient")) {
    flopsOf(plan, (trace) => {
      const [from, dw, dy] = [x, w, y].map((shape) => trace.tensor("operand", shape));
      plan.record(trace, { geometry: g, x: from, dy }).write(dw, false);
    });
  }
  gpu.destroy();
});

Deno.test("what a run touches is counted, once where it is read, twice where it is updated", async () => {
  const gpu = await Gpu.open({ device: nullDevice(typicalAdapter("gpu")) });
  const { geometry: g } = WORKS[0];
  const [dispatch] = computed(gpu, (trace) => {
    const { x, w, y } = operandShapes(g);
    const [a, b, c] = [x, w, y].map((shape) => trace.tensor("operand", shape));
    recordWork(trace, { direction: "forward", geometry: g }, { x: a, w: b, y: c });
  });
  // Channels are padded to a multiple of four; 4 of 9 taps, 5 of 5 inputs, 8 of 12 outputs.
  const [x, w, y] = [2 * 8 * 8 * 8, 4 * 5 * 8, 2 * 4 * 4 * 8];
  assertEquals(costOf(dispatch).bytes, 4 * (x + w + y));
  const squares = { ...dispatch, reads: { a: dispatch.reads.x, b: dispatch.reads.x }, touched: {} };
  assertEquals(costOf(squares).bytes, 4 * (x + y));
  // Parameters and velocity are read and written, gradients and four numbers read.
  const [step] = computed(gpu, (trace) => {
    const [parameters, gradients, velocity] = ["p", "g", "v"].map((name) =>
      trace.tensor(name, [64])
    );
    const attributes = { weightDecay: 0, nesterov: false, decays: false };
    sgd.forward(trace, [parameters, gradients, velocity, trace.tensor("hyper", [4])], attributes);
  });
  assertEquals(costOf(step).bytes, 4 * (5 * 64 + 4));
  gpu.destroy();
});

Deno.test("a kernel is limited by the nearer roof, or by neither", () => {
  const roofs = { gflops: 1000, gigabytes: 100, matrixGflops: 10_000 };
  const limit = (flops: number, bytes: number, matrixUnits = false) => {
    const { ofRoof, limit } = limitOf({ flops, bytes, matrixUnits }, 2, roofs);
    return [Number(ofRoof.toFixed(4)), limit];
  };
  assertEquals(limit(1e9, 1e6), [0.5, "compute"]);
  assertEquals(limit(1e9, 1e6, true), [0.05, "latency"]);
  assertEquals(limit(1e9, 1.6e8), [0.8, "memory"]);
  assertEquals(limit(1e8, 1e7), [0.05, "latency"]);
  assertEquals(limitOf({ flops: 1, bytes: 1, matrixUnits: false }, 0, roofs).gflops, 0);
});

/** Holds the roof of matrix units to what it counts. */
async function countProducts(gpu: Gpu, operations: MatrixOperations): Promise<void> {
  using scope = gpu.scope();
  const { kernel, flops } = matrixRoof(operations, { side: 2, rounds: 2 });
  const x = scope.tensor("x", [1, 4], [1, 1, 1, 1], "f16");
  const y = scope.tensor("y", [kernel.workgroupSize, 4]);
  const program = await scope.trace("products", (trace) => {
    trace.run(kernel, { reads: { x }, writes: { y }, dims: {}, workgroups: 1 });
  });
  program.replay();
  const [sums] = await gpu.read([y]);
  // Each element of 4 sums is 1 · 1, as often as it has terms.
  assert(sums.every((sum) => sum === 4 * 2 * 16), String(sums.slice(0, 4)));
  const subgroups = kernel.workgroupSize / operations.lanes;
  assertEquals(flops, 2 * sums[0] * 16 * 16 * subgroups);
}

Deno.test("a pass takes from the end of those before it, if it began sooner, and no clock runs backwards", () => {
  const laps = [[0, 1], [0, 3], [0.5, 3.5], [4, 5], [4.5, 4.75]]
    .map(([begin, end]) => ({ begin, end }));
  assertEquals(passTimes(laps), [
    { own: 1, pause: 0 },
    { own: 2, pause: 0 },
    { own: 0.5, pause: 0 },
    { own: 1, pause: 0.5 },
    { own: 0, pause: 0 },
  ]);
});

Deno.test("the roof of matrix units is products of matrices, and as many as it counts", async () => {
  const gpu = await Gpu.open();
  try {
    if (!gpu.hasHalves) return;
    for (const vectors of [false, true]) await countProducts(gpu, emulatedOperations({ vectors }));
  } finally {
    gpu.destroy();
  }
});

Deno.test("a profile names transfers, and says by which clock it is", async () => {
  const real = await Gpu.open();
  for (const gpu of [real, await Gpu.open({ device: nullDevice(real.device) })]) {
    using scope = gpu.scope();
    const x = scope.tensor("x", [64, 64]);
    const program = await scope.trace("a clear, a ReLU and a copy", (trace) => {
      const zeros = trace.tensor("zeros", x.shape);
      trace.clear(zeros);
      trace.keep(relu.forward(trace, [zeros], {})[0]);
    });
    const found = await profile(gpu, program, 2);
    const names = found.runs.map(({ name }) => name).filter((name) => name !== "texture copy");
    assertEquals(names, ["clear", "relu", "copy"]);
    if (gpu !== real) assertEquals(found.clock, "host");
    const lines = profileLines(stepProfile(found, { gflops: 1, gigabytes: 1 })).join("\n");
    assertMatch(
      lines,
      found.clock === "host" ? /the device has no clock/ : /in turn with it, one without/,
    );
    gpu.destroy();
  }
});

Deno.test(
  "bench step --profile attributes a step to kernels, and their operations are the network's",
  { ignore: lacks("run", "read", "write", "env") },
  async () => {
    const batch = 16;
    const { code, out, error } = await adjoinCommand(
      (`bench step --model resnet8 --stem cifar --mode plain --image-size 32 --batch ${batch} ` +
        "--repeats 1 --profile --json").split(" "),
    );
    assertEquals(code, 0, error);
    const { profile, dispatches }: { profile: StepProfile; dispatches: number } = JSON.parse(out);
    const { kernels, ms, untimedMs, attributed, attributedMs, clock, roofs } = profile;
    assert(roofs.gflops > 0 && roofs.gigabytes > 0);
    if (clock === "device") assert(attributed >= 0.95 && attributed < 1.001, String(attributed));
    assertAlmostEquals(attributedMs / ms, attributed, 1e-4);
    assert(untimedMs > 0);
    const sum = (of: (kernel: StepProfile["kernels"][number]) => number): number =>
      kernels.reduce((sum, kernel) => sum + of(kernel), 0);
    assertAlmostEquals(sum((kernel) => kernel.ms) / attributedMs, 1, 1e-4);
    assertAlmostEquals(sum(({ share }) => share), attributed, 1e-4);
    const transfers = ["copy", "clear", "texture copy"];
    const runs = sum(({ kernel, runs }) => transfers.includes(kernel) ? 0 : runs);
    assertEquals(runs, dispatches);
    const { macs } = count(model("resnet8", { classes: 10, channels: 3, stem: "cifar" }), {
      height: 32,
      width: 32,
    });
    for (const direction of ["forward", "weight gradient"]) {
      const flops = sum(({ kernel, work = "", gflops, ms }) =>
        kernel.startsWith(direction) && work.startsWith(direction) ? gflops * ms * 1e6 : 0
      );
      assertAlmostEquals(flops / (2 * batch * macs), 1, 1e-4, direction);
    }
  },
);
