import type { Assembled } from "../kernels/gpu/assemble.ts";
import type { AdapterKind } from "../kernels/gpu/device_preset.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import { Gpu } from "../kernels/gpu.ts";
import { pullBack, written } from "../kernels/gradient.ts";
import type { Case, Input, Op } from "../kernels/op.ts";
import { GPU, SOFTWARE } from "../kernels/preset.ts";
import { assembleTrace } from "../kernels/program/assemble_trace.ts";
import { type Dispatch, Trace } from "../kernels/program/trace.ts";
import { Tensor } from "../kernels/gpu/tensor.ts";

/** A kernel run of a case. */
export interface CaseKernel {
  /** Whether the op runs it, or its gradient. */
  readonly pass: "forward" | "gradient";
  /** The run: operands, numbers, workgroups. */
  readonly dispatch: Dispatch;
  /** The whole WGSL module. */
  readonly assembled: Assembled;
}

/** An input of a case, shapes alone included. */
export function inputOf(input: Input | readonly number[]): Input {
  return "shape" in input ? input : { shape: input };
}

/** Records a case, first the op and then its gradient. Returns how many commands the op has. */
function recordCase<A>(
  trace: Trace,
  op: Op<A>,
  { inputs: given, attributes }: Case<A>,
  outside: (tensor: Tensor) => Tensor,
): number {
  const described = given.map(inputOf);
  const inputs = described.map(({ shape, type }, i) =>
    outside(new Tensor(`input ${i}`, shape, type))
  );
  const outputs = op.forward(trace, inputs, attributes);
  trace.keep(outputs[0]);
  const forward = trace.commands.length;
  if (op.vjp === "none") return forward;
  const wanted = described.map(({ type, differentiable }) => differentiable ?? type !== "u32");
  const dy = outside(new Tensor("dy", outputs[0].shape));
  const gradients = pullBack(trace, op, { inputs, outputs, attributes, wanted }, dy);
  gradients.forEach((gradient, i) => {
    if (!gradient || !wanted[i]) return;
    trace.keep(written(trace, gradient, { name: `d${i}`, shape: inputs[i].shape }));
  });
  return forward;
}

/**
 * The kernel runs of a case of an op, in order, as they are on a typical adapter of a kind. Nothing
 * runs, and no adapter is needed.
 */
export async function kernelsOfCase<A>(
  kind: AdapterKind,
  op: Op<A>,
  test: Case<A>,
): Promise<CaseKernel[]> {
  const preset = { software: SOFTWARE, gpu: GPU }[kind];
  const gpu = await Gpu.open({ device: nullDevice(typicalAdapter(kind)), preset });
  using scope = gpu.scope();
  const outside = ({ name, shape, type }: Tensor, values?: ArrayLike<number>): Tensor =>
    scope.tensor(name, shape, values, type);
  const trace = new Trace(gpu, outside);
  const forward = recordCase(trace, op, test, outside);
  const modules = assembleTrace(trace);
  return trace.commands.flatMap((command, i): CaseKernel[] => {
    const assembled = command.kind === "dispatch" ? modules.get(command) : undefined;
    if (command.kind !== "dispatch" || !assembled) return [];
    return [{ pass: i < forward ? "forward" : "gradient", dispatch: command, assembled }];
  });
}
