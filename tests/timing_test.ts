import { assert, assertEquals, assertRejects } from "@std/assert";
import { Gpu, GpuError } from "../kernels/gpu.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import type { Program } from "../kernels/program/program.ts";
import { relu } from "../kernels/ops/relu.ts";
import type { Scope } from "../kernels/program/scope.ts";
import { Stopwatch } from "../kernels/gpu/stopwatch.ts";
import { profile } from "../kernels/program/profile.ts";
import { race } from "../kernels/program/timing.ts";

/** A program of `runs` kernels and a copy. */
async function reluProgram(scope: Scope, length: number, runs: number): Promise<Program> {
  const x = scope.tensor("x", [length], new Float32Array(length).fill(-1));
  return await scope.trace("relus", (trace) => {
    let y = x;
    for (let i = 0; i < runs; i++) [y] = relu.forward(trace, [y], {});
    trace.keep(y);
  });
}

/** With the clock of the adapter's device, and with a device that has none. */
async function withDevices(test: (gpu: Gpu) => Promise<void>): Promise<void> {
  const adapter = await navigator.gpu.requestAdapter();
  for (const device of [undefined, await adapter?.requestDevice()]) {
    const gpu = await Gpu.open({ device });
    try {
      await test(gpu);
    } finally {
      gpu.destroy();
      device?.destroy();
    }
  }
}

Deno.test("a profile names each kernel and what it takes, by the device's clock or without", () =>
  withDevices(async (gpu) => {
    using scope = gpu.scope();
    const program = await reluProgram(scope, 50_000, 3);
    const timings = await profile(gpu, program, 2);
    const kernels = timings.runs.filter(({ name }) => name === "relu");
    assertEquals(kernels.length, 3);
    for (const { milliseconds } of kernels) assert(milliseconds >= 0 && milliseconds < 1000);
    const before = gpu.live();
    await profile(gpu, program, 1);
    assertEquals(gpu.live(), before);
  }));

Deno.test("a race tells longer programs from shorter ones, in their order, where there is a clock", () =>
  withDevices(async (gpu) => {
    using scope = gpu.scope();
    const programs = [
      await reluProgram(scope, 100_000, 1),
      await reluProgram(scope, 100_000, 40),
      await reluProgram(scope, 100_000, 1),
    ];
    const times = await race(gpu, programs, 3);
    if (!times) return assert(!Stopwatch.on(gpu));
    assertEquals(times.length, 3);
    assert(times[1] > 2 * times[0] && times[1] > 2 * times[2], String(times));
  }));

Deno.test("a device without memory has no clock, and profiles all the same", async () => {
  const real = await Gpu.open();
  real.destroy();
  const gpu = await Gpu.open({ device: nullDevice(real.device) });
  using scope = gpu.scope();
  assert(!Stopwatch.on(gpu));
  const { runs } = await profile(gpu, await reluProgram(scope, 4, 2), 1);
  const names = runs.filter(({ kind }) => kind === "dispatch").map(({ name }) => name);
  assertEquals(names, ["relu", "relu"]);
});

Deno.test("a lost device is named as the reason that there are no times", async () => {
  const gpu = await Gpu.open();
  if (!Stopwatch.on(gpu)) return gpu.destroy();
  const stopwatch = new Stopwatch(gpu, 1);
  gpu.device.destroy();
  await gpu.device.lost;
  await assertRejects(() => stopwatch.read(), GpuError, "The GPU is lost");
  gpu.destroy();
});

Deno.test("a stopwatch has room for more passes than a query set holds", async () => {
  const gpu = await Gpu.open();
  try {
    if (!Stopwatch.on(gpu)) return;
    using scope = gpu.scope();
    const program = await reluProgram(scope, 4, 2100);
    const { runs } = await profile(gpu, program, 1);
    assertEquals(runs.filter(({ kind }) => kind === "dispatch").length, 2100);
    assert(runs.every(({ milliseconds }) => milliseconds >= 0));
  } finally {
    gpu.destroy();
  }
});
