// What an adapter reaches at most: the roofs under which kernels run (Williams, Waterman and
// Patterson, "Roofline", Communications of the ACM 52, 2009).
import { measureSpeed, type Speed, timeOf } from "../cli/doctor/speed.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { defineKernel } from "../kernels/gpu/kernel.ts";
import { matrixRoof } from "./matrix_roof.ts";
import type { Program } from "../kernels/program/program.ts";
import { matricesOf } from "../kernels/conv/matrix_tiles.ts";
import { range, unroll } from "../kernels/wgsl/blocked.ts";

/** vec4 that an invocation keeps in registers, enough for their latencies to overlap. */
const SUMS = 4;
/** Multiply-accumulates of each in a round. */
const UNROLLED = 4;
/** Fewer than loops may have. */
const ROUNDS = 512;
const LANES = 64;

/** Multiply-accumulates in registers, and nothing else. */
const multiplyAccumulates = defineKernel({
  name: "multiply-accumulates",
  workgroupSize: LANES,
  reads: { x: "small" },
  writes: { y: "bulk" },
  dims: {},
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let a = vec4f(x(0u).x);
  let b = vec4f(x(1u).x);
  ${unroll(SUMS, (i) => `var sum${i} = a + f32(lane + ${i}u);`)}
  for (var k = 0u; k < ${ROUNDS}u; k++) {
    ${unroll(UNROLLED, () => unroll(SUMS, (i) => `sum${i} = fma(sum${i}, a, b);`))}
  }
  set_y(workgroup * ${LANES}u + lane, ${range(SUMS).map((i) => `sum${i}`).join(" + ")});
}`,
  iterations: () => ROUNDS + 1,
});

/** Runs of a kernel in a submit. */
const COPIES = 4;

/** Measurements, of which the best counts: what else a machine does only makes it slower. */
const TRIES = 2;

/** `work` in a millisecond of a replay, at best. */
async function best(gpu: Gpu, program: Program, work: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < TRIES; i++) times.push(await timeOf(gpu, program));
  return work / Math.min(...times);
}

/** Multiply-accumulates of float32, in 1e9 operations a second. */
async function arithmetic(gpu: Gpu): Promise<number> {
  using scope = gpu.scope();
  const workgroups = gpu.preset.name === "gpu" ? 2 ** 14 : 2 ** 8;
  const x = scope.tensor("x", [2, 4], [1, 1, 1, 1, 0, 0, 0, 0]);
  const y = scope.tensor("y", [workgroups * LANES, 4]);
  const program = await scope.trace("roof of computing", (trace) => {
    for (let i = 0; i < COPIES; i++) {
      trace.run(multiplyAccumulates, { reads: { x }, writes: { y }, dims: {}, workgroups });
    }
  });
  const flops = 2 * 4 * SUMS * UNROLLED * ROUNDS * LANES * workgroups * COPIES;
  return await best(gpu, program, flops / 1e6);
}

/** Copies of buffers, in 1e9 bytes a second, read and written. */
async function copies(gpu: Gpu): Promise<number> {
  using scope = gpu.scope();
  // More than caches hold.
  const wanted = gpu.preset.name === "gpu" ? 2 ** 14 : 2 ** 10;
  const rows = Math.min(wanted, Math.floor(gpu.largestBuffer / (4 * 4096)));
  const [from, to] = ["from", "to"].map((name) => scope.tensor(name, [rows, 4096]));
  const program = await scope.trace("roof of memory", (trace) => {
    for (let i = 0; i < COPIES; i++) trace.copy(from, to);
  });
  return await best(gpu, program, 2 * from.bytes * COPIES / 1e6);
}

/** Products of matrices: operands of either side that registers have room for, and rounds. */
const PRODUCTS = { side: 4, rounds: 256 } as const;

/** Products of half floats by matrix units, in 1e9 operations a second; undefined without them. */
async function matrices(gpu: Gpu): Promise<number | undefined> {
  const { operations } = matricesOf(gpu);
  if (!operations?.matrixUnits) return undefined;
  using scope = gpu.scope();
  const { kernel, flops } = matrixRoof(operations, PRODUCTS);
  const workgroups = 2 ** 12;
  const x = scope.tensor("x", [1, 4], [1, 1, 1, 1], "f16");
  const y = scope.tensor("y", [workgroups * kernel.workgroupSize, 4]);
  const program = await scope.trace("roof of matrix units", (trace) => {
    for (let i = 0; i < COPIES; i++) {
      trace.run(kernel, { reads: { x }, writes: { y }, dims: {}, workgroups });
    }
  });
  return await best(gpu, program, flops * workgroups * COPIES / 1e6);
}

/** What an adapter reaches at most. */
export interface Roofs extends Speed {
  /** 1e9 floating-point operations a second of matrix units; absent where there are none. */
  readonly matrixGflops?: number;
}

/**
 * Measures the roofs of an adapter: what float32 multiply-accumulates in registers and copies of
 * buffers reach, or a convolution and a ReLU where those are faster; products by matrix units where
 * there are some.
 */
export async function measureRoofs(gpu: Gpu): Promise<Roofs> {
  const { gflops, gigabytes } = await measureSpeed(gpu);
  const matrixGflops = await matrices(gpu);
  return {
    gflops: Math.max(gflops, await arithmetic(gpu)),
    gigabytes: Math.max(gigabytes, await copies(gpu)),
    ...matrixGflops !== undefined && { matrixGflops },
  };
}
