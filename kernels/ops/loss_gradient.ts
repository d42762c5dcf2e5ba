import { defineKernel, type Read } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import {
  type CrossEntropyAttributes,
  entropySlopeOf,
  LOSS_DIMS,
  type LossOperands,
  targetOperands,
  targetReads,
} from "./soft_target.ts";
import { CLASSES, logSoftmaxOf } from "./softmax.ts";

/** The gradient of a loss with respect to its logits, four at a time. */
export interface LossGradient {
  /** The name of the kernel, but for what attributes add. */
  readonly name: string;
  /** The logits, by their names in the WGSL. */
  readonly logits: Readonly<Record<string, Tensor>>;
  /** Numbers that the WGSL reads as `name(0u).x`. */
  readonly scalars?: Readonly<Record<string, Tensor>>;
  /** The gradients, `[batch, classes]`, by their names in the WGSL. */
  readonly gradients: Readonly<Record<string, Tensor>>;
  /** How the loss was recorded: its inputs, told apart, and its outputs. */
  readonly operands: LossOperands<Tensor>;
  readonly outputs: readonly Tensor[];
  /** The gradient of the loss, `[1]`. */
  readonly dy: Tensor;
  /**
   * WGSL that sets `slope_x` of each gradient x, four numbers. It has `i`, `row`, `quad`, the `norms`
   * of the row, `scale` = dy / batch, `x_log_softmax` of the logits, and `entropy_slope`.
   */
  readonly wgsl: string;
}

/** Records the kernel of a gradient. */
export function recordLossGradient(
  trace: Trace,
  { name, logits, scalars, gradients, operands, outputs, dy, wgsl }: LossGradient,
  attributes: CrossEntropyAttributes,
): void {
  const [, , rows, total] = outputs;
  const { mixed, weighted } = attributes;
  const of = (tensors: object, kind: Read): Record<string, Read> =>
    Object.fromEntries(Object.keys(tensors).map((name) => [name, kind]));
  const numbers = { ...scalars, dy, ...(weighted && { total }) };
  const kernel = defineKernel({
    name: `${name}${mixed ? ", mixed" : ""}${weighted ? ", weighted" : ""}`,
    workgroupSize: 64,
    reads: {
      ...of(logits, "small"),
      rows: "small",
      ...targetReads(attributes),
      ...of(numbers, "channel"),
    },
    writes: Object.fromEntries(Object.keys(gradients).map((name) => [name, "bulk" as const])),
    dims: LOSS_DIMS,
    wgsl: /* wgsl */ `
${CLASSES}
${entropySlopeOf(attributes)}
${Object.keys(logits).map(logSoftmaxOf).join("")}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let row = i / row_quads();
  let quad = i % row_quads();
  if (row >= dims.batch) { return; }
  let norms = rows(row * 2u);
  let scale = dy(0u).x / f32(dims.batch);
  ${wgsl}
  ${
      Object.keys(gradients).map((name) =>
        `set_${name}(i, select(vec4f(), slope_${name}, is_class(quad)));`
      ).join("\n  ")
    }
}`,
  });
  trace.run(kernel, {
    reads: { ...logits, rows, ...targetOperands(operands.target), ...numbers },
    writes: gradients,
    dims: operands.dims,
    workgroups: Math.ceil(Object.values(gradients)[0].quads / 64),
  });
}
