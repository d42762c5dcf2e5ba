// Tensors and programs that are no longer, or not yet, there are refused: they would be taken for
// zeros, or for what others have left in their memory.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { generatedSplit } from "../data/generated.ts";
import { Gpu, GpuError } from "../kernels/gpu.ts";
import { defineKernel } from "../kernels/gpu/kernel.ts";
import { Tensor } from "../kernels/gpu/tensor.ts";
import { relu } from "../kernels/ops/relu.ts";
import { GPU, SOFTWARE } from "../kernels/preset.ts";
import { profile } from "../kernels/program/profile.ts";
import type { Trace } from "../kernels/program/trace.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { model } from "../nn/families/mod.ts";
import { adjoinedSpecs } from "../nn/compress/adjoined_state.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { Learner, Weights } from "../train/learner.ts";
import { Evaluation } from "../train/evaluation.ts";
import { TrainingStep } from "../train/step.ts";

const PRESETS = { software: SOFTWARE, gpu: GPU };

async function withGpu(test: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = await Gpu.open();
  try {
    await test(gpu);
  } finally {
    gpu.destroy();
  }
}

const apply = (trace: Trace, x: Tensor): Tensor => relu.forward(trace, [x], {})[0];

for (const [which, preset] of Object.entries(PRESETS)) {
  Deno.test(`weights whose scope has ended are refused on preset ${which}`, async () => {
    const gpu = await Gpu.open({ preset });
    try {
      const { train, normalization } = generatedSplit({
        train: 8,
        validation: 1,
        size: 16,
        seed: 1,
      });
      const network = model("resnet8", { classes: 10 });
      const feed = { dataset: train, normalization, batch: 4, image: { height: 16, width: 16 } };
      using scope = gpu.scope();
      let weights: Weights;
      let learner: Learner;
      const adjoined = adjoin(network, { compression: 4 });
      {
        using inner = gpu.scope();
        const specs = networkSpecs(network);
        weights = new Weights(inner, specs, initialize(specs, network, () => 0.1));
        const both = adjoinedSpecs(adjoined);
        learner = new Learner(inner, {
          specs: both,
          state: initialize(both, network, () => 0.1),
          optimizer: { name: "sgd", weightDecay: 0, nesterov: false },
        });
      }
      const ended = ": its scope has ended; make it in a scope that lasts as long as it is used";
      const objective = { mode: "plain", which: "base", network } as const;
      await assertRejects(
        () => Evaluation.trace(scope, { objective, weights, feed }),
        TypeError,
        ended,
      );
      await assertRejects(
        () =>
          TrainingStep.trace(scope, {
            objective: { mode: "adjoined", adjoined, detach: false },
            learner,
            feed,
            labelSmoothing: 0,
          }),
        TypeError,
        ended,
      );
      await assertRejects(() => weights.read(), TypeError, ended);
    } finally {
      gpu.destroy();
    }
  });
}

Deno.test("tensors of a trace are read and written by its program alone", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [4], [-1, 2, -3, 4]);
    let inner = x;
    let kept = x;
    const program = await scope.trace("first", (trace) => {
      inner = apply(trace, x);
      kept = trace.keep(apply(trace, inner));
    });
    program.replay();
    assertEquals([...(await gpu.read([kept]))[0]], [0, 2, 0, 4]);
    const outside = "Cannot use tensor relu outside its trace: keep() it while tracing";
    await assertRejects(() => gpu.read([inner]), TypeError, outside);
    assertThrows(() => scope.write(inner, [1, 2, 3, 4]), TypeError, outside);
    assertThrows(() => scope.view("view", inner, 0, [4]), TypeError, outside);
    const other = "Cannot use tensor relu in kernel relu: it belongs to another trace";
    await assertRejects(
      () => scope.trace("second", (trace) => void apply(trace, inner)),
      TypeError,
      other,
    );
    for (
      const record of [
        (trace: Trace) => trace.clear(inner),
        (trace: Trace) => trace.copy(inner, x),
        (trace: Trace) => trace.copy(x, inner),
        (trace: Trace) => void trace.keep(inner),
      ]
    ) {
      await assertRejects(
        () => scope.trace("second", record),
        TypeError,
        "belongs to another trace",
      );
    }
    await assertRejects(
      () => scope.trace("loose", (trace) => void apply(trace, new Tensor("loose", [4]))),
      TypeError,
      "Cannot use tensor loose in kernel relu: its scope has ended",
    );
  }));

Deno.test("a tensor that is read before anything is written to it is refused by name", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const before = gpu.live();
    await assertRejects(
      () => scope.trace("empty", (trace) => void apply(trace, trace.tensor("empty", [4, 4]))),
      TypeError,
      "kernel relu reads tensor empty [4,4] before anything writes to it",
    );
    await assertRejects(
      () => scope.trace("empty", (trace) => void trace.keep(trace.tensor("empty", [4]))),
      TypeError,
      "a copy reads tensor empty [4] before anything writes to it",
    );
    const doubled = defineKernel({
      name: "doubled",
      workgroupSize: 1,
      reads: {},
      writes: { y: "update" },
      dims: {},
      wgsl: "fn main(workgroup: u32, lane: u32) { set_y(0u, 2.0 * y(0u)); }",
    });
    const update = (clear: boolean) =>
      scope.trace("update", (trace) => {
        const y = trace.tensor("sum", [4]);
        if (clear) trace.clear(y);
        trace.run(doubled, { reads: {}, writes: { y }, dims: {}, workgroups: 1 });
      });
    await assertRejects(() => update(false), TypeError, "kernel doubled reads tensor sum [4]");
    await update(true);
    assertEquals(gpu.live().buffers > before.buffers, true);
  }));

Deno.test("tensors of another GPU are refused", () =>
  withGpu((gpu) =>
    withGpu(async (other) => {
      using scope = gpu.scope();
      using foreign = other.scope();
      const x = foreign.tensor("x", [4]);
      const refused = "it belongs to another GPU; make it in a scope of this one";
      await assertRejects(
        () => scope.trace("relu", (trace) => void apply(trace, x)),
        TypeError,
        `Cannot use tensor x in kernel relu: ${refused}`,
      );
      await assertRejects(() => gpu.read([x]), TypeError, refused);
      assertThrows(() => scope.write(x, [1, 2, 3, 4]), TypeError, refused);
      assertThrows(() => scope.view("view", x, 0, [4]), TypeError, refused);
    })
  ));

Deno.test("a program is not run after its scope, or that of its tensors, has ended", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const outer = scope.tensor("outer", [4]);
    const inner = gpu.scope();
    const x = inner.tensor("x", [4]);
    const using = await scope.trace("using", (trace) => void trace.keep(apply(trace, x)));
    const owned = await inner.trace("owned", (trace) => void trace.keep(apply(trace, outer)));
    using.replay();
    owned.replay();
    inner[Symbol.dispose]();
    assertThrows(() => owned.replay(), TypeError, "Cannot run owned: its scope has ended");
    const refused = "Cannot run using: the scope of tensor x, which it uses, has ended";
    assertThrows(() => using.replay(), TypeError, refused);
    await assertRejects(() => profile(gpu, using, 1), TypeError, refused);
    await gpu.idle();
  }));

Deno.test("a scope that has ended makes, writes and traces nothing", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [4]);
    const ended = gpu.scope();
    ended[Symbol.dispose]();
    ended[Symbol.dispose]();
    const refused = "the scope has ended; use one that lasts";
    assertThrows(() => ended.tensor("y", [4]), TypeError, `Cannot make tensor y: ${refused}`);
    assertThrows(() => ended.view("y", x, 0, [4]), TypeError, refused);
    assertThrows(() => ended.write(x, [1, 2, 3, 4]), TypeError, refused);
    await assertRejects(() => ended.trace("nothing", () => {}), TypeError, refused);
    const during = gpu.scope();
    const before = gpu.live();
    const tracing = during.trace("during", (trace) => void trace.keep(apply(trace, x)));
    during[Symbol.dispose]();
    await assertRejects(() => tracing, TypeError, `Cannot trace during: ${refused}`);
    assertEquals(gpu.live(), before);
  }));

Deno.test("a GPU that was destroyed refuses everything", async () => {
  const gpu = await Gpu.open();
  const scope = gpu.scope();
  const x = scope.tensor("x", [4]);
  const program = await scope.trace("relu", (trace) => void trace.keep(apply(trace, x)));
  gpu.destroy();
  gpu.destroy();
  const refused = "Cannot use a GPU that was destroyed; open another one";
  assertThrows(() => program.replay(), GpuError, refused);
  assertThrows(() => scope.tensor("y", [4]), GpuError, refused);
  assertThrows(() => scope.write(x, [1, 2, 3, 4]), GpuError, refused);
  await assertRejects(() => gpu.read([x]), GpuError, refused);
  await assertRejects(() => gpu.idle(), GpuError, refused);
  await assertRejects(() => gpu.settle(), GpuError, refused);
  await assertRejects(() => scope.trace("more", (trace) => void apply(trace, x)), TypeError);
  scope[Symbol.dispose]();
});

Deno.test("what is recorded after the trace has ended is refused", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [4]);
    const late: Trace[] = [];
    await scope.trace("early", (trace) => void late.push(trace));
    assertThrows(
      () => apply(late[0], x),
      TypeError,
      "Cannot record kernel relu: the trace has ended",
    );
    assertThrows(() => late[0].clear(x), TypeError, "Cannot record clear: the trace has ended");
    await assertRejects(
      () => scope.trace("slow", async () => await Promise.resolve()),
      TypeError,
      "Cannot trace slow: wanted a function that records everything at once",
    );
  }));

Deno.test("operands of other types and sizes, and no workgroups, are refused by name", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const kernel = defineKernel({
      name: "pick",
      workgroupSize: 1,
      reads: { x: "bulk", at: "u32" },
      writes: { y: "bulk" },
      dims: {},
      wgsl: "fn main(workgroup: u32, lane: u32) { set_y(0u, x(at[0])); }",
    });
    const x = scope.tensor("x", [4]);
    const at = scope.tensor("at", [4], undefined, "u32");
    const y = scope.tensor("y", [4]);
    const run = (reads: Record<string, Tensor>, workgroups = 1) =>
      scope.trace(
        "pick",
        (trace) =>
          trace.run<string, string, string>(kernel, { reads, writes: { y }, dims: {}, workgroups }),
      );
    await run({ x, at });
    await assertRejects(() => run({ x }), TypeError, "Cannot run kernel pick: it needs at");
    await assertRejects(
      () => run({ x, at: x }),
      TypeError,
      "Cannot run kernel pick: wanted at of type u32, found x of type f32",
    );
    await assertRejects(
      () => run({ x: at, at }),
      TypeError,
      "Cannot run kernel pick: wanted x of type f32, found at of type u32",
    );
    for (const workgroups of [0, -1, 1.5, NaN]) {
      await assertRejects(
        () => run({ x, at }, workgroups),
        RangeError,
        `wanted a whole number of workgroups from 1 on, found ${workgroups}`,
      );
    }
    const longer = scope.tensor("longer", [8]);
    await assertRejects(
      () => scope.trace("copy", (trace) => trace.copy(x, longer)),
      TypeError,
      "Cannot copy x [4] to longer [8]: wanted as many words",
    );
    for (const value of [1.5, -1, NaN, 2 ** 32]) {
      assertThrows(
        () => scope.write(at, [0, 1, value, 2]),
        RangeError,
        `wanted whole numbers from 0 to 2^32 - 1, found ${value} at 2`,
      );
    }
    assertThrows(() => scope.view("view", x, -64, [4]), RangeError, "Cannot view x as view");
  }));
