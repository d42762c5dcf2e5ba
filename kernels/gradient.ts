import { recordReluGradient } from "./wgsl/elementwise.ts";
import type { Context, FusibleGradient, Gradient, Op, PendingGradient } from "./op.ts";
import type { Tensor } from "./gpu/tensor.ts";
import type { Trace } from "./program/trace.ts";

/**
 * Records the gradient of each input of an op, given that of its result. Raises a `TypeError` for
 * an op that has no gradient.
 */
export function pullBack<A>(
  trace: Trace,
  op: Op<A>,
  context: Context<A>,
  dy: Tensor,
): readonly Gradient[] {
  if (op.vjp === "none") {
    throw new TypeError(`Cannot pull back over ${op.name}: it has no gradient`);
  }
  const passed = op.rectified?.(context.attributes, context.inputs)
    ? recordReluGradient(trace, context.outputs[0], dy)
    : dy;
  return op.vjp(trace, context, passed);
}

/** A gradient as a tensor, `name` and `shape` if it is still to be written. */
export function written(
  trace: Trace,
  gradient: Tensor | PendingGradient | FusibleGradient,
  { name, shape }: { name: string; shape: readonly number[] },
): Tensor {
  if (!("write" in gradient || "fuse" in gradient)) return gradient;
  const into = trace.tensor(name, shape);
  if ("fuse" in gradient) gradient.fuse(into, {});
  else {
    if (!gradient.complete) trace.clear(into);
    gradient.write(into, false);
  }
  return into;
}
