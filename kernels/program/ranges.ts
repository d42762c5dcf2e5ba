import type { Tensor } from "../gpu/tensor.ts";

/** The tensor that has memory of its own: of a range inside a program, that which it is a part of. */
export function placedOf(tensor: Tensor): Tensor {
  return tensor.temporary ? tensor.range?.of ?? tensor : tensor;
}

/** Whether two tensors have words in common; tensors of the program have none with others. */
export function overlap(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  if (!a.storage || !b.storage || a.storage.buffer !== b.storage.buffer) return false;
  const apart = a.storage.offset + a.bytes <= b.storage.offset ||
    b.storage.offset + b.bytes <= a.storage.offset;
  return !apart;
}
