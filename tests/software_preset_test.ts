// The kernels of software adapters where lanes cannot load for one another, or load from buffers, and
// with weight gradients in parts however short.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { conv2d, maskedConv2d } from "../kernels/ops/conv2d.ts";
import { Gpu } from "../kernels/gpu.ts";
import { pullBack } from "../kernels/gradient.ts";
import { linear } from "../kernels/ops/linear.ts";
import { type Preset, SOFTWARE } from "../kernels/preset.ts";
import type { Dispatch } from "../kernels/program/trace.ts";
import { describeInput, holds } from "./op_suite.ts";

const PRESETS: Readonly<Record<string, Preset>> = {
  "that load all themselves": { ...SOFTWARE, broadcast: false },
  "that load from buffers": { ...SOFTWARE, loads: "buffer" },
  "that share short sums": {
    ...SOFTWARE,
    convolution: { ...SOFTWARE.convolution, positions: 4 },
  },
};

/** Without depthwise ones of many taps, whose code takes its time to compile: `ops_test.ts` has them. */
const CASES = conv2d.cases.filter(({ inputs: [, w], attributes: { groups = 1 } }) => {
  const [height, width] = describeInput(w).shape;
  return groups === 1 || height * width <= 9;
});

for (const [which, preset] of Object.entries(PRESETS)) {
  Deno.test(`lanes ${which} give products equal to the float64 reference`, async () => {
    const gpu = await Gpu.open({ preset });
    try {
      await holds(gpu, conv2d, CASES);
      await holds(gpu, maskedConv2d, maskedConv2d.cases);
      await holds(gpu, linear, linear.cases);
    } finally {
      gpu.destroy();
    }
  });
}

Deno.test("lanes load for one another only where subgroups are as wide as workgroups", async () => {
  const preset = { ...SOFTWARE, lanes: 5 };
  const gpu = await Gpu.open({ preset });
  const device = gpu.device;
  const wrapped = await Gpu.open({ device, preset: { ...SOFTWARE, broadcast: false } });
  assertEquals([gpu.broadcast, wrapped.broadcast], [0, 0]);
  gpu.destroy();
});

Deno.test("loops of an invocation end before the adapter ends them", async () => {
  const iterations = 120;
  const gpu = await Gpu.open({ preset: { ...SOFTWARE, iterations } });
  try {
    using scope = gpu.scope();
    const x = scope.tensor("x", [4, 64, 64, 16]);
    const inputs = [x, scope.tensor("w", [1, 1, 16, 32])];
    const attributes = { stride: 1, padding: 0 };
    let runs: Dispatch[] = [];
    await scope.trace("convolution", (trace) => {
      const outputs = conv2d.forward(trace, inputs, attributes);
      const context = { inputs, outputs, attributes, wanted: [false, true] };
      const [, dw] = pullBack(trace, conv2d, context, outputs[0]);
      assert(dw && "write" in dw);
      dw.write(trace.tensor("dw", [1, 1, 16, 32]), false);
      runs = trace.commands.filter((command) => command.kind === "dispatch");
    });
    const [product, parts] = runs;
    const turns = Math.ceil(product.workgroups / (product.grid ?? product.workgroups));
    // Of a turn: one tap, four vec4 of inputs, four of outputs. Some take four times as many turns.
    assert(turns > 1 && 4 * turns * 9 <= iterations, `${turns} turns`);
    const positions = 4 * 64 * 64;
    assert(positions / 4 / parts.dims.splits <= iterations, `${parts.dims.splits} splits`);
    const deep = [scope.tensor("x", [1, 600]), scope.tensor("w", [600, 4]), scope.tensor("b", [4])];
    await assertRejects(
      () => scope.trace("deep", (trace) => linear.forward(trace, deep, { prefix: false })),
      RangeError,
      "Cannot apply linear on this adapter, which sums up 600 products to an output: loops end " +
        "there after 120 iterations, and this takes 157",
    );
  } finally {
    gpu.destroy();
  }
});
