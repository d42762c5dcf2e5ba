import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { ALIGNMENT, ELEMENT_BYTES, Tensor } from "../gpu/tensor.ts";
import type { Operands } from "./operands.ts";
import { overlap } from "./ranges.ts";

/** Invocations of a workgroup. */
const LANES = 64;

/** Vec4 that an invocation copies, all of them `step` apart. */
const EACH = 4;

const intoHalves = defineKernel({
  name: "weights in half floats",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: { quads: "u32", step: "u32" },
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  if (i >= dims.step) { return; }
  for (var at = i; at < dims.quads; at += dims.step) { set_y(at, x(at)); }
}`,
  iterations: () => EACH + 1,
});

/** A run of the kernel that copies. */
export interface HalfCopy extends Operands<"x", "y", "quads" | "step"> {
  readonly kernel: Kernel;
}

/**
 * Copies in half floats of tensors from outside a program. All parameters of a network are ranges of
 * one tensor, which is copied as a whole, in one kernel run, before the first kernel that reads one
 * of them as half floats; a prefix of a filter is a part of the filter, and needs no copy.
 */
export class HalfCopies {
  readonly #record: (copy: HalfCopy) => void;
  /** Copies of whole tensors, and ranges of them, by what they stand in for. */
  readonly #copies = new Map<Tensor, Tensor>();

  /** `record` records a run of the kernel that copies. */
  constructor(record: (copy: HalfCopy) => void) {
    this.#record = record;
  }

  /**
   * What a kernel reads that wants half floats: the range of a copy where the tensor is a range of
   * one outside the program, else the tensor itself.
   */
  of(tensor: Tensor): Tensor {
    const { range, type, storage } = tensor;
    const aligned = ((range?.start ?? 0) * ELEMENT_BYTES.f16) % ALIGNMENT === 0;
    if (!range || !storage || type !== "f32" || !aligned) return tensor;
    const made = this.#copies.get(tensor);
    if (made) return made;
    const { start } = range;
    const of = this.#whole(range.of);
    const copy = new Tensor(`${tensor.name}, halves`, tensor.shape, "f16", true, { of, start });
    this.#copies.set(tensor, copy);
    return copy;
  }

  #whole(x: Tensor): Tensor {
    const made = this.#copies.get(x);
    if (made) return made;
    const y = new Tensor(`${x.name}, halves`, x.shape, "f16", true);
    this.#copies.set(x, y);
    const { quads } = x;
    const step = Math.ceil(quads / EACH);
    this.#record({
      kernel: intoHalves,
      reads: { x },
      writes: { y },
      dims: { quads, step },
      workgroups: Math.ceil(step / LANES),
    });
    return y;
  }

  /** Forgets copies of what a command has written over. */
  written(tensor: Tensor): void {
    if (!tensor.storage) return;
    const stale = [...this.#copies.keys()].filter((x) => !x.range && overlap(x, tensor));
    for (const x of this.#copies.keys()) {
      if (stale.includes(x.range?.of ?? x)) this.#copies.delete(x);
    }
  }
}
