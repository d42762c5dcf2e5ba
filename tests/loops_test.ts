// Mesa's llvmpipe leaves all loops of an invocation after 65535 iterations, without a word. Kernels
// with loops count them, and the trace refuses too many: see kernels/program/loops.ts.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import type { Assembled } from "../kernels/gpu/assemble.ts";
import { defineKernel } from "../kernels/gpu/kernel.ts";
import { USAGE } from "../kernels/gpu/usage.ts";
import { ops } from "../kernels/mod.ts";
import type { Case, Input, Op } from "../kernels/op.ts";
import { GPU, type Preset, SOFTWARE } from "../kernels/preset.ts";
import { encode } from "../kernels/program/action.ts";
import { iterationsOf } from "../kernels/program/loops.ts";
import type { Program } from "../kernels/program/program.ts";
import { check, draw, expectation } from "./op_suite.ts";
import { record, traceOnly } from "./traced_case.ts";

const PRESETS: Readonly<Record<string, Preset>> = { software: SOFTWARE, gpu: GPU };

/** Shapes whose loops would be too long if they were not divided, and which of them are refused. */
interface Long {
  readonly inputs: readonly (Input | readonly number[])[];
  readonly attributes?: object;
  /** The refusal, by preset. */
  readonly refused?: Readonly<Record<string, string>>;
}

const both = (refusal: string) => ({ software: refusal, gpu: refusal });
const MANY = 100_000;
/** Each is padded to four numbers, which are a round. */
const ROWS = 66_000;
const DEEP = 270_000;
/** Ops whose words are bytes of pixels, not labels. */
const BYTES = ["augment", "sample pictures"];
const COOLED = { temperature: 2, detach: false };
const SOFT = { labelSmoothing: 0.1, mixed: true, weighted: true };

/** Sizes for each op. An op whose kernels have no loops is tried on a large tensor all the same. */
const LONG: Readonly<Record<string, readonly Long[]>> = {
  "conv2d": [
    { inputs: [[1, 520, 530, 1], [1, 1, 1, 4]], attributes: { stride: 1, padding: 0 } },
    {
      inputs: [[1, 1, 1, DEEP], [1, 1, DEEP, 4]],
      attributes: { stride: 1, padding: 0 },
      refused: { software: "Cannot apply conv2d on this adapter, which sums up 270000 products" },
    },
    // Depthwise, a large image and a wide one.
    {
      inputs: [[1, 520, 530, 2], [3, 3, 1, 2]],
      attributes: { stride: 1, padding: 1, groups: 2 },
    },
    {
      inputs: [[1, 1, 70_000, 3], [1, 1, 1, 3]],
      attributes: { stride: 1, padding: 0, groups: 3 },
      refused: both("Cannot run kernel weight gradient, depthwise"),
    },
    // In groups, of many pixels and of many channels.
    { inputs: [[1, 260, 270, 4], [1, 1, 2, 6]], attributes: { stride: 1, padding: 0, groups: 2 } },
    {
      inputs: [[1, 1, 1, 2 * MANY], [1, 1, MANY, 4]],
      attributes: { stride: 1, padding: 0, groups: 2 },
      refused: both("Cannot apply conv2d on this adapter, which sums up 100000 products"),
    },
  ],
  "masked conv2d": [
    { inputs: [[1, 520, 530, 1], [1, 1, 3, 5]], attributes: { stride: 1, padding: 0, keepOut: 3 } },
  ],
  "batch norm": [
    {
      inputs: [[ROWS, 3], [3], [3], [3], [3]],
      attributes: { eps: 1e-5, relu: false, momentum: 0.1 },
    },
  ],
  "batch norm eval": [
    { inputs: [[ROWS, 3], [3], [3], [3], [3]], attributes: { eps: 1e-5, relu: false } },
  ],
  "layer norm": [
    { inputs: [[ROWS, 3], [3], [3]], attributes: { eps: 0.1 } },
    { inputs: [[3, 4096], [4096], [4096]], attributes: { eps: 1e-6 } },
  ],
  "relu": [{ inputs: [[MANY]] }],
  "relu6": [{ inputs: [[ROWS, 3]] }],
  "leaky relu": [{ inputs: [[ROWS, 3]], attributes: { slope: 0.1 } }],
  "sigmoid": [{ inputs: [[ROWS, 3]] }],
  "hard sigmoid": [{ inputs: [[ROWS, 3]] }],
  "silu": [{ inputs: [[ROWS, 3]] }],
  "hard swish": [{ inputs: [[ROWS, 3]] }],
  "gelu": [{ inputs: [[ROWS, 3]] }],
  "add": [{ inputs: [[MANY], [MANY]], attributes: { relu: false } }],
  "multiply": [{ inputs: [[1, 520, 530, 1], [1, 1, 1, 1]] }],
  "scale channels": [{ inputs: [[ROWS, 3], [3]] }],
  "scale loss": [{ inputs: [[1], [4]] }],
  "max pool2d": [
    { inputs: [[1, 90, 95, 2]], attributes: { kernel: 16, stride: 1, padding: 0 } },
  ],
  "avg pool2d": [
    { inputs: [[1, 160, 166, 3]], attributes: { kernel: 150, stride: 3, ceilMode: true } },
    { inputs: [[1, 258, 257, 1]], attributes: { kernel: 130, stride: 1, ceilMode: false } },
    {
      inputs: [[1, 150, 147, 1]],
      attributes: { kernel: 130, stride: 9, ceilMode: false, padding: 65 },
    },
  ],
  "adaptive avg pool2d": [
    { inputs: [[1, 300, 1, 1]], attributes: { height: 1, width: 300 } },
    { inputs: [[1, 1, 300, 1]], attributes: { height: 300, width: 1 } },
  ],
  "global avg pool2d": [{ inputs: [[1, 520, 530, 1]] }],
  "upsample2d": [{ inputs: [[1, 5, 7, 3]], attributes: { factor: 64 } }],
  "dropout": [{ inputs: [[ROWS, 3], [2]], attributes: { rate: 0.3, stream: 1 } }],
  "drop path": [{ inputs: [[3, 300, 300, 1], [2]], attributes: { rate: 0.3, stream: 1 } }],
  "narrow": [{ inputs: [[ROWS, 5]], attributes: { channels: 3 } }],
  "select": [{ inputs: [[ROWS, 5]], attributes: { columns: [4, 0, 2] } }],
  "concat": [{ inputs: [[ROWS, 3], [ROWS, 2]] }],
  "bias": [{ inputs: [[ROWS, 3], [3]] }],
  "linear": [
    { inputs: [[DEEP, 3], [3, 2], [2]], attributes: { prefix: false } },
    {
      inputs: [[1, DEEP], [DEEP, 2], [2]],
      attributes: { prefix: false },
      refused: { software: "Cannot apply linear on this adapter, which sums up 270000 products" },
    },
  ],
  "cross entropy": [
    { inputs: [[2, MANY], [2]], attributes: { labelSmoothing: 0.1 } },
    { inputs: [[ROWS, 2], [ROWS]], attributes: { labelSmoothing: 0 } },
    { inputs: [[2, MANY], [2], [2], [2], [MANY]], attributes: SOFT },
    { inputs: [[ROWS, 2], [ROWS], [ROWS], [ROWS], [2]], attributes: SOFT },
  ],
  "adjoined loss": [
    {
      inputs: [[2, MANY], [2, MANY], [2], [1]],
      attributes: { labelSmoothing: 0.1, detach: false },
    },
    {
      inputs: [[2, MANY], [2, MANY], [2], [1], [2], [2], [MANY]],
      attributes: { ...SOFT, detach: false },
    },
  ],
  "distillation loss": [
    { inputs: [[2, MANY], [2, MANY], [2]], attributes: { labelSmoothing: 0.1 } },
    { inputs: [[2, MANY], [2, MANY], [2], [2], [2], [MANY]], attributes: SOFT },
  ],
  "KL divergence": [{ inputs: [[2, MANY], [2, MANY]], attributes: COOLED }],
  "divergence of relations": [
    { inputs: [[2, MANY], [2, MANY]], attributes: { ...COOLED, beta: 1, gamma: 1 } },
    { inputs: [[ROWS, 3], [ROWS, 3]], attributes: { ...COOLED, beta: 1, gamma: 1 } },
  ],
  "decoupled divergence": [
    {
      inputs: [[2, MANY], [2, MANY], [2], [2], [2]],
      attributes: { ...COOLED, alpha: 1, beta: 8, mixed: true },
    },
  ],
  "loss term": [{ inputs: [[1], [4], [1], [1], [1]], attributes: { smallCrossEntropy: 1 } }],
  "accumulate": [{ inputs: [[4], [4]] }],
  "count correct": [{ inputs: [[5, MANY], [5], [4]] }, { inputs: [[ROWS, 2], [ROWS], [4]] }],
  "guard step": [{ inputs: [[4], [4], [4_000_000]] }],
  "restore": [{ inputs: [[MANY], [MANY], [4]] }],
  "moving average": [{ inputs: [[MANY], [MANY], [4], [1]] }],
  "sgd": [
    { inputs: [[MANY], [MANY], [MANY], [4]], attributes: { weightDecay: 0.1, nesterov: true } },
  ],
  "adamw": [
    {
      inputs: [[MANY], [MANY], [MANY], [MANY], [4]],
      attributes: { weightDecay: 0, beta2: 0.9, eps: 1e-2 },
    },
  ],
  "augment": [
    {
      inputs: [[600 * 600 / 4], [1, 4]],
      attributes: {
        batch: 1,
        height: 600,
        width: 600,
        channels: 1,
        outHeight: 600,
        outWidth: 600,
        mean: [0.5],
        std: [0.2],
      },
    },
  ],
  "sample pictures": [
    {
      inputs: [
        [600 * 600 / 4],
        { shape: [1, 2], type: "u32", sample: () => 600 },
        { shape: [1, 4], sample: (_, i) => i < 2 ? 0 : 200, differentiable: false },
      ],
      attributes: {
        ...{ batch: 1, slotWords: 600 * 600 / 4, channels: 1, outHeight: 3, outWidth: 3 },
        ...{ interpolation: "bicubic", mean: [0.5], std: [0.2] },
      },
    },
  ],
  "color jitter": [{ inputs: [[1, 700, 900, 1], [1, 5]] }],
  "rand augment": [{ inputs: [[1, 700, 900, 1], [1, 2]], attributes: { fill: [9] } }],
  "erase": [{ inputs: [[3, 300, 300, 1], [3, 5]], attributes: { fill: [9], spread: [0] } }],
  "mix pictures": [{ inputs: [[1, 300, 300, 1], [1, 5]] }],
  "normalize pixels": [{ inputs: [[3, 300, 300, 1]], attributes: { mean: [0.5], std: [0.2] } }],
  "gumbel noise": [
    {
      inputs: [[70_000, 64], [2]],
      refused: both("Cannot run kernel gumbel noise on noise [70000,64]"),
    },
  ],
  "gumbel softmax": [
    {
      inputs: [[1, MANY], [1, MANY], [1]],
      refused: both("Cannot run kernel gumbel softmax on theta [1,100000]"),
    },
  ],
  "gate channels": [
    { inputs: [[ROWS, 5], [1, 3]], attributes: { group: 0, widths: [5, 3, 1] } },
  ],
  "gate each channel": [
    {
      inputs: [[ROWS, 5], [2, 3]],
      attributes: { groups: [0, 1, -1, 1, 0], candidates: [7, 1, 0, 3, 5] },
    },
  ],
  "quadratic form": [{ inputs: [[700, 3], [2100, 2100], [2100], [1]] }],
  "penalty": [{ inputs: [[1], [1], [1], [1]] }],
  "adapt penalty": [{ inputs: [[1], [1], [1], [3]] }],
};

/** The case of these shapes, whose values are drawn as those of the first case of as many inputs. */
function caseOf(op: Op, { inputs, attributes = {} }: Long): Case<object> {
  const alike = op.cases.find((test) => test.inputs.length === inputs.length) ?? op.cases[0];
  const like = alike.inputs;
  const classes = "shape" in inputs[0] ? inputs[0].shape[1] : inputs[0][1];
  return {
    inputs: inputs.map((shape, i) => {
      if ("shape" in shape) return shape;
      const of = like[i];
      if (!("shape" in of)) return shape;
      if (of.type === "u32" && of.sample && shape.length === 1 && !BYTES.includes(op.name)) {
        return { ...of, shape, sample: (_: () => number, k: number) => k * 7919 % classes };
      }
      return op.name === "gumbel noise" ? { ...of, shape, sample: () => 0 } : { ...of, shape };
    }),
    attributes,
  };
}

Deno.test("each op has an entry with long loops", () => {
  assertEquals(Object.keys(LONG), ops.map(({ name }) => name));
});

/** Holds a case to its reference, or to its refusal, on each preset. */
async function demandLong(gpus: ReadonlyMap<string, Gpu>, op: Op, long: Long): Promise<void> {
  const test = caseOf(op, long);
  const refused = long.refused ?? {};
  const everywhere = [...gpus.keys()].every((which) => which in refused);
  const expected = everywhere ? undefined : expectation(op, test, { seed: 11 });
  for (const [which, gpu] of gpus) {
    const label = `${JSON.stringify(long)} on preset ${which}`;
    if (refused[which]) {
      const error = await assertRejects(() => traceOnly(gpu, op, test), RangeError, refused[which]);
      assert(/end .*after 65535 iterations, and this takes \d+/.test(error.message), label);
      continue;
    }
    const { parity, gradient } = await check(gpu, op, test, { seed: 11, expected });
    assert(parity < 1e-4, `${label}: outputs are ${parity} off`);
    assert(gradient < 1e-3, `${label}: gradients are ${gradient} off`);
  }
}

for (const op of ops) {
  Deno.test(`long loops of ${op.name} are right or refused on both presets`, async () => {
    const gpus = new Map<string, Gpu>();
    try {
      for (const [which, preset] of Object.entries(PRESETS)) {
        gpus.set(which, await Gpu.open({ preset }));
      }
      for (const long of LONG[op.name] ?? []) await demandLong(gpus, op, long);
    } finally {
      for (const gpu of gpus.values()) gpu.destroy();
    }
  });
}

/** A kernel that counts the iterations of its loops, and one for leaving each, into a buffer. */
function counting({ name, code, bindings }: Assembled): Assembled {
  const counted = code.replaceAll(
    /for \(([^{}]*;[^{}]*;[^{}]*)\) \{/g,
    "looped += 1u; for ($1) { looped += 1u;",
  );
  const end = counted.lastIndexOf("}");
  return {
    name,
    code: `@group(0) @binding(${bindings.length}) var<storage, read_write> most: atomic<u32>;
var<private> looped: u32;
${counted.slice(0, end)} atomicMax(&most, looped);\n}`,
    bindings: [...bindings, { name: "most", kind: "queue" }],
  };
}

/** The largest count of each run of a kernel of a program. */
async function counts(gpu: Gpu, program: Program): Promise<[string, number][]> {
  const runs = program.actions.filter((action) => action.kind === "dispatch");
  const read = gpu.device.createBuffer({
    size: 4 * runs.length,
    usage: USAGE.MAP_READ | USAGE.COPY_DST,
  });
  gpu.submit((encoder) => {
    let i = 0;
    for (const action of program.actions) {
      encoder.clearBuffer(gpu.workQueue);
      encode(encoder, [action]);
      if (action.kind === "dispatch") {
        encoder.copyBufferToBuffer(gpu.workQueue, 0, read, 4 * i++, 4);
      }
    }
  });
  await gpu.done(read.mapAsync(1));
  const found = [...new Uint32Array(read.getMappedRange())];
  read.destroy();
  return runs.map(({ name }, i) => [name, found[i]]);
}

for (const [which, preset] of Object.entries(PRESETS)) {
  Deno.test(`kernels make no more iterations than they say on preset ${which}`, async () => {
    // Workgroups that take their turns from a queue count in its place.
    const gpu = await Gpu.open({ preset: { ...preset, grid: undefined } });
    const usage = USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST;
    const pipeline = gpu.pipeline.bind(gpu);
    Object.assign(gpu, {
      workQueue: gpu.own(gpu.device.createBuffer({ size: 4, usage }), 4),
      pipeline: (assembled: Assembled) => pipeline(counting(assembled)),
    });
    let loops = 0;
    try {
      for (const op of ops) {
        for (const test of op.cases.slice(-3)) {
          using scope = gpu.scope();
          const sample = draw(test, 3);
          const inputs = sample.inputs.map(({ shape, type }, i) =>
            scope.tensor(`input ${i}`, shape, sample.values[i].data, type)
          );
          const said = new Map<string, number>();
          const program = await scope.trace(op.name, (trace) => {
            record(scope, trace, op, inputs, test.attributes);
            for (const command of trace.commands) {
              if (command.kind !== "dispatch") continue;
              const { name } = command.kernel;
              said.set(
                name,
                Math.max(said.get(name) ?? 0, iterationsOf(gpu, command.kernel, command)),
              );
            }
          });
          for (const [name, found] of await counts(gpu, program)) {
            const most = said.get(name) ?? NaN;
            assert(found >= 2 && found <= most, `${name} says ${most}, makes ${found}`);
            loops++;
          }
        }
      }
    } finally {
      gpu.destroy();
    }
    assert(loops > 60, `${loops} runs of kernels`);
  });
}

const looping = defineKernel({
  name: "looping",
  workgroupSize: 1,
  reads: {},
  writes: { y: "f32" },
  dims: { rounds: "u32" },
  wgsl: "fn main(w: u32, l: u32) { for (var i = 0u; i < dims.rounds; i++) { y[0] += 1.0; } }",
});

Deno.test("a kernel with loops has to count them, and too many are refused", async () => {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const y = scope.tensor("y", [1]);
    const run = (rounds: number, iterations?: typeof looping.iterations) =>
      scope.trace("looping", (trace) =>
        trace.run({ ...looping, iterations }, {
          reads: {},
          writes: { y },
          dims: { rounds },
          workgroups: 1,
        }));
    await assertRejects(() => run(1), TypeError, "Cannot run kernel looping: it has loops");
    const most = 65535 - 3;
    (await run(most, ({ rounds }) => rounds + 1)).replay();
    assertEquals((await gpu.read([y]))[0][0], most);
    await assertRejects(
      () => run(most + 1, ({ rounds }) => rounds + 1),
      RangeError,
      "after 65535 iterations, and this takes 65536; use smaller sizes or another adapter",
    );
    // This is what it is for: the adapter ends the loop without a word.
    scope.write(y, [0]);
    (await run(70_000, () => 0)).replay();
    assertEquals((await gpu.read([y]))[0][0], 65535);
  } finally {
    gpu.destroy();
  }
});

Deno.test("turns of a small grid count as iterations", async () => {
  const gpu = await Gpu.open({ maxWorkgroups: 2 });
  try {
    const run = { dims: { rounds: 1 }, workgroups: 100 };
    const counted = { ...looping, iterations: () => 7 };
    assertEquals(iterationsOf(gpu, counted, run), 50 * 8 + 1);
    assertThrows(
      () => iterationsOf(gpu, looping, run),
      TypeError,
      "give it a function `iterations`",
    );
  } finally {
    gpu.destroy();
  }
});
