import type { Device } from "../gpu/device.ts";
import type { Kernel } from "../gpu/kernel.ts";
import { turnIterations } from "../gpu/work_queue.ts";
import type { Tensor } from "../gpu/tensor.ts";

/** What the loops of a kernel depend on, of that which it is run on. */
interface Run {
  readonly dims: Readonly<Record<string, number>>;
  readonly workgroups: number;
  readonly grid?: number;
}

const LOOP = /\b(for|while|loop)\b/;
const COMMENT = /\/\/.*|\/\*[^]*?\*\//g;

/** Whether the WGSL of a kernel has loops. */
export function hasLoops({ wgsl }: Kernel): boolean {
  return LOOP.test(wgsl.replace(COMMENT, ""));
}

/**
 * The most iterations of all loops of an invocation, those over turns included. Raises a `TypeError`
 * for a kernel with loops that does not count them.
 */
export function iterationsOf(
  gpu: Device,
  kernel: Kernel,
  { dims, workgroups, grid }: Run,
): number {
  const { name } = kernel;
  if (!kernel.iterations) {
    if (!hasLoops(kernel)) return turnIterations(gpu, kernel, { workgroups, grid, iterations: 0 });
    throw new TypeError(
      `Cannot run kernel ${name}: it has loops, and some adapters end loops after a number of ` +
        `iterations; give it a function \`iterations\` of its dims that counts the most there can be`,
    );
  }
  const iterations = kernel.iterations(dims);
  return turnIterations(gpu, kernel, { workgroups, grid, iterations });
}

/** Raises a `RangeError` for a kernel whose loops the adapter would end before they are done. */
export function demandIterations(
  gpu: Device,
  kernel: Kernel,
  run: Run & Readonly<Record<"reads" | "writes", Readonly<Record<string, Tensor>>>>,
): void {
  const found = iterationsOf(gpu, kernel, run);
  if (found <= gpu.iterations) return;
  const shapes = Object.entries({ ...run.reads, ...run.writes })
    .map(([name, { shape }]) => `${name} [${shape}]`);
  throw new RangeError(
    `Cannot run kernel ${kernel.name} on ${shapes.join(", ")}: loops of ${gpu.adapter} end after ` +
      `${gpu.iterations} iterations, and this takes ${found}; use smaller sizes or another adapter`,
  );
}
