import { recordForward, recordInputGradient } from "./convolution.ts";
import { weightGradient } from "./weight_gradient.ts";
import type { Work } from "./work.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** The input of a convolution, its filter and its output, or their gradients. */
export type Operand = "x" | "w" | "y";

/** The operand that each direction computes from the other two. */
export const RESULT: Readonly<Record<Work["direction"], Operand>> = {
  "forward": "y",
  "input gradient": "x",
  "weight gradient": "w",
};

/** The shapes of the operands. */
export function operandShapes(g: Geometry): Record<Operand, readonly number[]> {
  return {
    x: [g.batch, g.height, g.width, g.keepIn],
    w: [g.kernelHeight, g.kernelWidth, g.filterIn, g.filterOut],
    y: [g.batch, g.outHeight, g.outWidth, g.keepOut],
  };
}

/** Records a convolution or one of its gradients: the {@link RESULT} out of the other operands. */
export function recordWork(
  trace: Trace,
  { direction, geometry: g }: Work,
  { x, w, y }: Readonly<Record<Operand, Tensor>>,
): void {
  switch (direction) {
    case "forward":
      return recordForward(trace, g, { x, w, y });
    case "input gradient":
      return recordInputGradient(trace, g, { dy: y, w, dx: x });
    case "weight gradient":
      return weightGradient(trace, g, { x, dy: y }).write(w, false);
  }
}
