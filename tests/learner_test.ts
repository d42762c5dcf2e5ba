import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { Learner, type OptimizerOptions } from "../train/learner.ts";

/** The numbers that steps 1 to 3 send to the update. */
async function numbersOf(optimizer: OptimizerOptions): Promise<number[][]> {
  const opened = await Gpu.open();
  const none = nullDevice(opened.device);
  const sent: number[][] = [];
  const queue = Object.assign({}, none.queue, {
    writeBuffer({ label }: GPUBuffer, _: number, bytes: Uint8Array<ArrayBuffer>): undefined {
      if (label === "hyper") sent.push([...new Float32Array(bytes.buffer, bytes.byteOffset, 4)]);
    },
  });
  opened.destroy();
  const gpu = await Gpu.open({ device: Object.assign({}, none, { queue }) });
  using scope = gpu.scope();
  const specs = { parameters: [{ name: "w", shape: [4] }], statistics: [] };
  const state = new Map([["w", new Float32Array(4)]]);
  const learner = new Learner(scope, { specs, state, optimizer });
  for (let step = 1; step <= 3; step++) learner.prepare({ lr: 0.5 / step, momentum: 0.75 });
  return sent;
}

Deno.test("adamw's moments are corrected by the number of steps, the present one included", async () => {
  const found = await numbersOf({ name: "adamw", weightDecay: 0, beta2: 0.9, eps: 1e-8 });
  const wanted = [1, 2, 3].map((t) => [0.5 / t, 0.75, 1 - 0.75 ** t, 1 - 0.9 ** t]);
  assertEquals(found.length, 3);
  found.flat().forEach((value, i) => assertAlmostEquals(value, wanted.flat()[i], 1e-6));
});

Deno.test("sgd takes learning rate and momentum as they are", async () => {
  const found = await numbersOf({ name: "sgd", weightDecay: 0, nesterov: false });
  assertEquals(found.map(([lr, momentum]) => [lr, momentum]), [
    [0.5, 0.75],
    [0.25, 0.75],
    [Math.fround(0.5 / 3), 0.75],
  ]);
});

Deno.test("norms and biases may have another weight decay than filters", async () => {
  const gpu = await Gpu.open();
  try {
    const shapes = { "conv.weight": [1, 1, 1, 2], "norm.weight": [3], "linear.bias": [2] };
    const parameters = Object.entries(shapes).map(([name, shape]) => ({ name, shape }));
    const specs = { parameters, statistics: [] };
    const state = new Map(
      parameters.map(({ name, shape }) => [name, new Float32Array(shape.at(-1) ?? 0).fill(2)]),
    );
    for (
      const optimizer of [
        { name: "sgd", weightDecay: 0.5, nesterov: false },
        { name: "adamw", weightDecay: 0.5, beta2: 0.9, eps: 1e-8 },
      ] as const
    ) {
      for (const normDecay of [1, 0, 0.5]) {
        using scope = gpu.scope();
        const learner = new Learner(scope, { specs, state, optimizer, normDecay });
        const program = await scope.trace("update", (trace) => learner.update(trace));
        learner.prepare({ lr: 0.25, momentum: 0 });
        program.replay();
        const found = await learner.read();
        // Gradients are 0: p (1 - lr · decay).
        assertEquals(Array.from(found.get("conv.weight") ?? []), [1.75, 1.75]);
        const norm = 2 * (1 - 0.25 * 0.5 * normDecay);
        assertEquals(Array.from(found.get("norm.weight") ?? []), [norm, norm, norm]);
        assertEquals(Array.from(found.get("linear.bias") ?? []), [norm, norm]);
      }
    }
  } finally {
    gpu.destroy();
  }
});
