// The kernels of software adapters where lanes cannot load for one another, or load from buffers, and
// with weight gradients in parts however short.
import { assertEquals } from "@std/assert";
import { conv2d, maskedConv2d } from "../kernels/conv2d.ts";
import { Gpu } from "../kernels/gpu.ts";
import { linear } from "../kernels/linear.ts";
import { type Preset, SOFTWARE } from "../kernels/preset.ts";
import { holds } from "./op_suite.ts";

const PRESETS: Readonly<Record<string, Preset>> = {
  "that load all themselves": { ...SOFTWARE, broadcast: false },
  "that load from buffers": { ...SOFTWARE, loads: "buffer" },
  "that share short sums": { ...SOFTWARE, positions: 4 },
};

for (const [which, preset] of Object.entries(PRESETS)) {
  Deno.test(`lanes ${which} give products equal to the float64 reference`, async () => {
    const gpu = await Gpu.open({ preset });
    try {
      await holds(gpu, conv2d, conv2d.cases);
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
