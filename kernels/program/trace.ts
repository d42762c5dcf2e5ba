import type { Device } from "../gpu/device.ts";
import type { Kernel } from "../gpu/kernel.ts";
import { type ElementType, Tensor } from "../gpu/tensor.ts";

/** One run of a kernel. */
export interface Dispatch extends Operands<string, string, string> {
  /** Tells it from other commands. */
  readonly kind: "dispatch";
  /** What is run. */
  readonly kernel: Kernel;
}

/** Zeros over a tensor. */
export interface Clear {
  /** Tells it from other commands. */
  readonly kind: "clear";
  /** What becomes zero, padding included. */
  readonly tensor: Tensor;
}

/** The words of one tensor over another of the same number of words. */
export interface Copy {
  /** Tells it from other commands. */
  readonly kind: "copy";
  /** What is read. */
  readonly from: Tensor;
  /** What is written. */
  readonly to: Tensor;
}

/** A command of a program. */
export type Command = Dispatch | Clear | Copy;

/** What a kernel is run on. */
export interface Operands<R extends string, W extends string, D extends string> {
  /** Tensors for all names in {@link Kernel.reads}. */
  readonly reads: Readonly<Record<R, Tensor>>;
  /** Tensors for all names in {@link Kernel.writes}. */
  readonly writes: Readonly<Record<W, Tensor>>;
  /** Numbers for all names in {@link Kernel.dims}. */
  readonly dims: Readonly<Record<D, number>>;
  /** Workgroups of work; the grid may be smaller. */
  readonly workgroups: number;
  /** The largest grid, whose workgroups then do several in turn; without it one for each is started. */
  readonly grid?: number;
}

/** Records commands in order; `Scope.trace` makes one and turns it into a program. */
export class Trace {
  /** Where the program will run. */
  readonly gpu: Device;
  /** What was recorded so far. */
  readonly commands: Command[] = [];
  readonly #outside: (tensor: Tensor) => Tensor;

  /**
   * Traces come from `Scope.trace`. `outside` makes a tensor outside the program, of the name, shape
   * and type of the one it is given.
   */
  constructor(gpu: Device, outside: (tensor: Tensor) => Tensor) {
    this.gpu = gpu;
    this.#outside = outside;
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

  /** Lets a tensor of the trace lie where `at`, from outside, lies. */
  place(tensor: Tensor, at: Tensor): void {
    tensor.storage = at.storage;
  }

  /** Records a copy. */
  copy(from: Tensor, to: Tensor): void {
    this.commands.push({ kind: "copy", from, to });
  }

  /** A tensor outside the program that each replay fills with `tensor`. */
  keep(tensor: Tensor): Tensor {
    const kept = this.#outside(tensor);
    this.copy(tensor, kept);
    return kept;
  }
}
