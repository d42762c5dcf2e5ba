// How fast an adapter computes and moves memory, roughly: a fraction of a second each.
import { recordForward } from "../../kernels/conv/convolution.ts";
import { operandShapes } from "../../kernels/conv/record_work.ts";
import { elements } from "../../kernels/gpu/tensor.ts";
import type { Gpu } from "../../kernels/gpu.ts";
import { narrow, relu } from "../../kernels/mod.ts";
import type { Program } from "../../kernels/program/program.ts";
import { geometry } from "../../kernels/wgsl/geometry.ts";

/** What was measured. */
export interface Speed {
  /** 1e9 floating-point operations a second, of a convolution as its tile is estimated. */
  readonly gflops: number;
  /** 1e9 bytes a second, read and written. */
  readonly gigabytes: number;
}

/** Milliseconds of work that are enough to be measured. */
const ENOUGH = 100;

/** Submits after which measuring ends, however short they are. */
const MOST = 512;

async function elapsed(gpu: Gpu, submit: () => void): Promise<number> {
  const start = performance.now();
  submit();
  await gpu.idle();
  return performance.now() - start;
}

/** Milliseconds of a replay of a program, run often enough to be measured; what an empty wait takes is taken off. */
export async function timeOf(gpu: Gpu, program: Program): Promise<number> {
  const empty = (): Promise<number> => elapsed(gpu, () => gpu.submit(() => {}));
  const run = (count: number): Promise<number> =>
    elapsed(gpu, () => {
      for (let i = 0; i < count; i++) program.replay();
    });
  // The first compiles.
  await run(1);
  const wait = Math.min(await empty(), await empty());
  for (let count = 1;; count *= 4) {
    const time = await run(count) - wait;
    if (time >= ENOUGH || count >= MOST) return Math.max(time, 1e-3) / count;
  }
}

/** Copies of a kernel in a submit: as many as a short training step has. */
const COPIES = 8;

async function gflops(gpu: Gpu): Promise<number> {
  using scope = gpu.scope();
  const [batch, size, channels] = gpu.preset.name === "gpu" ? [64, 28, 128] : [4, 16, 64];
  const x = scope.tensor("x", [batch, size, size, channels]);
  const w = scope.tensor("w", [3, 3, channels, channels]);
  const g = geometry("conv2d", x, w, { stride: 1, padding: 1 });
  const { y: shape } = operandShapes(g);
  const program = await scope.trace("speed of computing", (trace) => {
    const y = trace.tensor("y", shape);
    for (let i = 0; i < COPIES; i++) recordForward(trace, g, { x, w, y });
    trace.keep(narrow.forward(trace, [y], { channels: 1 })[0]);
  });
  const operations = 2 * elements(shape) * 9 * channels * COPIES;
  return operations / 1e6 / await timeOf(gpu, program);
}

async function gigabytes(gpu: Gpu): Promise<number> {
  using scope = gpu.scope();
  // More than caches hold.
  const wanted = gpu.preset.name === "gpu" ? 2 ** 14 : 2 ** 10;
  const rows = Math.min(wanted, Math.floor(gpu.largestBuffer / (4 * 4096)));
  const x = scope.tensor("x", [rows, 4096]);
  const program = await scope.trace("speed of memory", (trace) => {
    let y = x;
    for (let i = 0; i < COPIES; i++) [y] = relu.forward(trace, [y], {});
    trace.keep(narrow.forward(trace, [y], { channels: 1 })[0]);
  });
  return 2 * x.bytes * COPIES / 1e6 / await timeOf(gpu, program);
}

/** Measures an adapter. */
export async function measureSpeed(gpu: Gpu): Promise<Speed> {
  return { gflops: await gflops(gpu), gigabytes: await gigabytes(gpu) };
}
