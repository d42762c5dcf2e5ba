import type { Kernel } from "../gpu/kernel.ts";
import type { Values } from "../op.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** The iterations of the mean over the rows of a batch, by one workgroup. */
export function meanIterations({ batch }: Readonly<Record<"batch", number>>): number {
  return Math.ceil(batch / 64) + 1 + 64;
}

/** Whether lambda weighs the divergence, and classes have weights. */
interface MeanKind {
  readonly lambda: boolean;
  readonly weighted: boolean;
}

function meanKernel({ lambda, weighted }: MeanKind): Kernel<string, string, "batch"> {
  const mean = weighted
    ? "vec4f(sum.x / sum.z, sum.y / f32(dims.batch), 0.0, 0.0)"
    : "sum / f32(dims.batch)";
  return {
    name: `mean loss${lambda ? ", weighted" : ""}${weighted ? ", by class" : ""}`,
    workgroupSize: 64,
    reads: { rows: "small", ...(lambda && { lambda: "channel" }) },
    writes: { loss: "bulk", parts: "bulk", ...(weighted && { total: "bulk" }) },
    dims: { batch: "u32" },
    wgsl: /* wgsl */ `
var<workgroup> sums: array<vec4f, 64>;
fn main(workgroup: u32, lane: u32) {
  var sum = vec4f();
  for (var row = lane; row < dims.batch; row += 64u) { sum += rows(row * 2u + 1u); }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) { sum += sums[i]; }
    let mean = ${mean};
    let loss = mean.x + ${lambda ? "lambda(0u).x" : "1.0"} * mean.y;
    set_loss(0u, vec4f(loss, 0.0, 0.0, 0.0));
    set_parts(0u, vec4f(loss, mean.x, mean.y, 1.0));
    ${weighted ? "set_total(0u, vec4f(sum.z, 0.0, 0.0, 0.0));" : ""}
  }
}`,
    iterations: meanIterations,
  };
}

/**
 * Records the means over rows `[batch, 8]` as {@link recordLossRows} writes them: the loss `[1]`,
 * cross entropy + lambda · divergence (lambda `[1]`; 1 without it), and the parts `[4]`, (loss,
 * cross entropy, divergence, 1). Gives both, the rows, and where classes have weights their total
 * over the batch `[1]`, by which the sum of the cross entropies is divided.
 */
export function recordMeanLoss(
  trace: Trace,
  rows: Tensor,
  { lambda, weighted = false }: { lambda?: Tensor; weighted?: boolean },
): Tensor[] {
  const loss = trace.tensor("loss", [1]);
  const parts = trace.tensor("loss parts", [4]);
  const total = weighted ? trace.tensor("total weight", [1]) : undefined;
  trace.run(meanKernel({ lambda: lambda !== undefined, weighted }), {
    reads: { rows, ...(lambda && { lambda }) },
    writes: { loss, parts, ...(total && { total }) },
    dims: { batch: rows.shape[0] },
    workgroups: 1,
  });
  return total ? [loss, parts, rows, total] : [loss, parts, rows];
}

/** The outputs of a loss: its value, and (loss, cross entropy, divergence, 1). */
export function lossValues(entropy: number, divergence = 0, lambda = 1): Values[] {
  const loss = entropy + lambda * divergence;
  return [
    { shape: [1], data: Float64Array.of(loss) },
    { shape: [4], data: Float64Array.of(loss, entropy, divergence, 1) },
  ];
}
