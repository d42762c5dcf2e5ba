import { ELEMENT_BYTES, type Tensor } from "../gpu/tensor.ts";
import type { Step } from "./texture_copies.ts";
import type { Dispatch } from "./trace.ts";

/** What a step of a program computes and moves. */
export interface Cost {
  /** Floating-point operations, two to a multiply-accumulate. */
  readonly flops: number;
  /**
   * Bytes that have to be read and written, each tensor once, whatever caches and tiles make of it.
   */
  readonly bytes: number;
  /** Whether matrix units compute it. */
  readonly matrixUnits: boolean;
}

/** The elements of an operand that a run touches. */
function touchedElements({ touched }: Dispatch, name: string, { quads }: Tensor): number {
  return touched?.[name] ?? 4 * quads;
}

/** What a run of a kernel computes, as it says or one operation for each element, and moves. */
function dispatchCost(dispatch: Dispatch): Cost {
  const { kernel, reads, writes } = dispatch;
  let bytes = 0;
  let most = 0;
  const seen = new Set<Tensor>();
  const move = (name: string, tensor: Tensor, times: number): void => {
    const elements = touchedElements(dispatch, name, tensor);
    most = Math.max(most, elements);
    bytes += times * elements * ELEMENT_BYTES[tensor.type];
  };
  for (const [name, tensor] of Object.entries(reads)) {
    // A tensor that is two operands is read once.
    if (!seen.has(tensor)) move(name, tensor, 1);
    seen.add(tensor);
  }
  for (const [name, tensor] of Object.entries(writes)) {
    move(name, tensor, kernel.writes[name] === "update" ? 2 : 1);
  }
  return { flops: dispatch.flops ?? most, bytes, matrixUnits: kernel.matrixUnits === true };
}

function moved(bytes: number): Cost {
  return { flops: 0, bytes, matrixUnits: false };
}

/** What a step computes and moves, once it is known which tensors hold half floats. */
export function costOf(step: Step): Cost {
  switch (step.kind) {
    case "dispatch":
      return dispatchCost(step);
    case "clear":
      return moved(step.tensor.bytes);
    case "copy":
      return moved(2 * step.to.bytes);
    case "texture copy":
      return moved(2 * step.tensor.bytes);
  }
}
