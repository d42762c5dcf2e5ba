// Ops with their gradients, traced and not run.
import type { Gpu } from "../kernels/gpu.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { pullBack } from "../kernels/gradient.ts";
import type { Case, Op } from "../kernels/op.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Trace } from "../kernels/program/trace.ts";
import { describeInput } from "./op_suite.ts";

/** Records an op and its gradients for a gradient of ones. */
export function record(
  scope: Scope,
  trace: Trace,
  op: Op,
  inputs: Tensor[],
  attributes: object,
): void {
  const outputs = op.forward(trace, inputs, attributes);
  if (op.vjp === "none") return;
  const [{ shape }] = outputs;
  const dy = scope.tensor("dy", shape, Array(shape.reduce((a, b) => a * b, 1)).fill(1));
  const wanted = inputs.map(({ type }) => type === "f32");
  pullBack(trace, op, { inputs, outputs, attributes, wanted }, dy).forEach((gradient, i) => {
    if (!gradient) return;
    const into = trace.tensor("gradient", inputs[i].shape);
    if ("fuse" in gradient) gradient.fuse(into, {});
    else if ("write" in gradient) {
      trace.clear(into);
      gradient.write(into, true);
    }
  });
}

/** Traces a case on zeros. */
export async function traceOnly(
  gpu: Gpu,
  op: Op,
  { inputs, attributes }: Case<object>,
): Promise<void> {
  using scope = gpu.scope();
  const zeros = inputs.map(describeInput).map(({ shape, type }, i) =>
    scope.tensor(`input ${i}`, shape, undefined, type)
  );
  await scope.trace(op.name, (trace) => record(scope, trace, op, zeros, attributes));
}
