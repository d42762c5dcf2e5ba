// Gradients that are added up and gated by the kernel that writes them, under every preset.
import { assert, assertEquals } from "@std/assert";
import { conv2d } from "../kernels/ops/conv2d.ts";
import { globalAvgPool2d } from "../kernels/ops/global_avg_pool2d.ts";
import { Gpu } from "../kernels/gpu.ts";
import { pullBack } from "../kernels/gradient.ts";
import type { FusibleGradient, Op } from "../kernels/op.ts";
import type { EpilogueOperands } from "../kernels/wgsl/epilogue.ts";
import { GPU, type Preset, SOFTWARE } from "../kernels/preset.ts";
import { elements, type Tensor } from "../kernels/gpu/tensor.ts";
import { normals } from "./op_suite.ts";

const PRESETS: Readonly<Record<string, Preset | undefined>> = {
  "this adapter's preset": undefined,
  "lanes that load all themselves": { ...SOFTWARE, broadcast: false },
  "tiles": GPU,
  "no tiles": { ...GPU, convolution: { ...GPU.convolution, tiles: undefined } },
};

/** An image's gradient, one of many channels, and one by phases. */
const SHAPES = [
  { x: [2, 7, 9, 3], w: [3, 3, 3, 5], stride: 1, y: [2, 7, 9, 5] },
  { x: [1, 5, 6, 37], w: [3, 3, 37, 8], stride: 1, y: [1, 5, 6, 8] },
  { x: [2, 9, 8, 6], w: [3, 3, 6, 7], stride: 2, y: [2, 5, 4, 7] },
];

for (const [which, preset] of Object.entries(PRESETS)) {
  Deno.test(`epilogues are right, with ${which}`, async () => {
    const gpu = await Gpu.open({ preset });
    try {
      for (const { x, w, y, stride } of SHAPES) {
        await fuses(gpu, conv2d, { inputs: [x, w], y, attributes: { stride, padding: 1 } });
      }
      await fuses(gpu, globalAvgPool2d, { inputs: [[3, 5, 7, 9]], y: [3, 9], attributes: {} });
    } finally {
      gpu.destroy();
    }
  });
}

async function fuses<A>(
  gpu: Gpu,
  op: Op<A>,
  { inputs: shapes, y, attributes }: { inputs: number[][]; y: number[]; attributes: A },
): Promise<void> {
  using scope = gpu.scope();
  const normal = normals(5);
  const random = (name: string, shape: readonly number[]): Tensor =>
    scope.tensor(name, shape, Array.from({ length: elements(shape) }, normal));
  const inputs = shapes.map((shape) => random("input", shape));
  const [x] = shapes;
  const dy = random("dy", y);
  const plus = random("plus", x);
  const gate = random("gate", x);
  const kept: Tensor[] = [];
  const program = await scope.trace("epilogues", (trace) => {
    const context = { inputs, outputs: [], attributes, wanted: [true, false] };
    const [gradient] = pullBack(trace, op, context, dy);
    assert(gradient && "fuse" in gradient);
    const written = (gradient: FusibleGradient, epilogue: EpilogueOperands): void => {
      const into = trace.tensor("dx", x);
      gradient.fuse(into, epilogue);
      kept.push(trace.keep(into));
    };
    written(gradient, {});
    written(gradient, { plus });
    written(gradient, { gate });
    written(gradient, { plus, gate });
  });
  program.replay();
  const [alone, added, gated, both, p, g] = await gpu.read([...kept, plus, gate]);
  const sums = alone.map((v, i) => v + p[i]);
  assertEquals(added, sums);
  assertEquals(gated, alone.map((v, i) => g[i] > 0 ? v : 0));
  assertEquals(both, sums.map((v, i) => g[i] > 0 ? v : 0));
}
