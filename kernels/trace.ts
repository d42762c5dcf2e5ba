import type { Gpu } from "./gpu.ts";
import type { Kernel } from "./kernel.ts";
import type { Scope } from "./scope.ts";
import { type ElementType, Tensor } from "./tensor.ts";

/** One run of a kernel. */
export interface Dispatch {
  readonly kind: "dispatch";
  readonly kernel: Kernel;
  readonly reads: Readonly<Record<string, Tensor>>;
  readonly writes: Readonly<Record<string, Tensor>>;
  readonly dims: Readonly<Record<string, number>>;
  readonly workgroups: number;
}

/** Zeros over a tensor. */
export interface Clear {
  readonly kind: "clear";
  readonly tensor: Tensor;
}

/** The words of one tensor over another of the same number of words. */
export interface Copy {
  readonly kind: "copy";
  readonly from: Tensor;
  readonly to: Tensor;
}

/** A command of a program. */
export type Command = Dispatch | Clear | Copy;

/** What a kernel is run on. */
export interface Operands<R extends string, W extends string, D extends string> {
  readonly reads: Readonly<Record<R, Tensor>>;
  readonly writes: Readonly<Record<W, Tensor>>;
  readonly dims: Readonly<Record<D, number>>;
  /** Workgroups of work; the grid may be smaller. */
  readonly workgroups: number;
}

/** Records commands in order; {@link Scope.trace} makes one and turns it into a program. */
export class Trace {
  readonly gpu: Gpu;
  readonly commands: Command[] = [];
  readonly #scope: Scope;

  /** Traces come from {@link Scope.trace}. */
  constructor(gpu: Gpu, scope: Scope) {
    this.gpu = gpu;
    this.#scope = scope;
  }

  /** A tensor that lives inside the program from its first write to its last use. */
  tensor(name: string, shape: readonly number[], type: ElementType = "f32"): Tensor {
    return new Tensor(name, shape, type);
  }

  /** Records a run of a kernel. */
  run<R extends string, W extends string, D extends string>(
    kernel: Kernel<R, W, D>,
    operands: Operands<R, W, D>,
  ): void {
    this.commands.push({ kind: "dispatch", kernel, ...operands });
  }

  /** Records zeros over a tensor. */
  clear(tensor: Tensor): void {
    this.commands.push({ kind: "clear", tensor });
  }

  /** Records a copy. */
  copy(from: Tensor, to: Tensor): void {
    this.commands.push({ kind: "copy", from, to });
  }

  /** A tensor outside the program that each replay fills with `tensor`. */
  keep(tensor: Tensor): Tensor {
    const kept = this.#scope.tensor(tensor.name, tensor.shape, undefined, tensor.type);
    this.copy(tensor, kept);
    return kept;
  }
}
