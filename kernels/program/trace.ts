import { HalfCopies } from "./half_copies.ts";
import { demandIterations } from "./loops.ts";
import { demandOperands, type Operands, operandsOf } from "./operands.ts";
import type { Device } from "../gpu/device.ts";
import type { Kernel } from "../gpu/kernel.ts";
import { type ElementType, Tensor } from "../gpu/tensor.ts";

export type { Operands } from "./operands.ts";

/** One run of a kernel. */
export interface Dispatch extends Operands<string, string, string> {
  /** The kind of command. */
  readonly kind: "dispatch";
  /** The kernel that is run. */
  readonly kernel: Kernel;
  /** What it is a part of, such as a convolution of certain shapes, as profiles say. */
  readonly work?: string;
}

/** A command that writes zeros over a tensor. */
export interface Clear {
  /** The kind of command. */
  readonly kind: "clear";
  /** The tensor that becomes zero, padding included. */
  readonly tensor: Tensor;
}

/** A command that copies the words of one tensor over another of as many words. */
export interface Copy {
  /** The kind of command. */
  readonly kind: "copy";
  /** The tensor that is read. */
  readonly from: Tensor;
  /** The tensor that is written. */
  readonly to: Tensor;
}

/** A command of a program. */
export type Command = Dispatch | Clear | Copy;

/**
 * How values inside a program are kept: in float32, or images and their gradients in float16
 * (`mixed`). All arithmetic is float32.
 */
export type Precision = "float32" | "mixed";

/** Records commands in order; `Scope.trace` makes one and turns it into a program. */
export class Trace {
  /** The device that the program will run on. */
  readonly gpu: Device;
  /** The commands recorded so far. */
  readonly commands: Command[] = [];
  /** The tensors that may hold half floats. */
  readonly halves: Set<Tensor> = new Set();
  /** Whether values and their gradients are kept in half floats. */
  readonly precision: Precision;
  readonly #outside: (tensor: Tensor, values?: ArrayLike<number>) => Tensor;
  readonly #made = new Set<Tensor>();
  readonly #copies: HalfCopies;
  readonly #constants = new Map<string, Tensor>();
  #ended = false;
  #work?: string;

  /**
   * Traces come from `Scope.trace`. `outside` makes a tensor outside the program, of the name,
   * shape and type of the one it is given, and with these values.
   */
  constructor(
    gpu: Device,
    outside: (tensor: Tensor, values?: ArrayLike<number>) => Tensor,
    precision: Precision = "float32",
  ) {
    this.gpu = gpu;
    this.precision = precision;
    this.#outside = outside;
    this.#copies = new HalfCopies((copy) => this.#record({ kind: "dispatch", ...copy }));
  }

  /** A tensor that lives inside the program from its first write to its last use. */
  tensor(name: string, shape: readonly number[], type: ElementType = "f32"): Tensor {
    const tensor = new Tensor(name, shape, type, true);
    this.#made.add(tensor);
    return tensor;
  }

  /**
   * Says that a tensor is a value of a network or the gradient of one. In mixed precision, images
   * `[batch, height, width, channels]` inside the program are then kept in half floats, where kernels
   * load and store them vec4 by vec4.
   */
  value(tensor: Tensor): Tensor {
    const narrow = this.precision === "mixed" && this.#made.has(tensor) && tensor.type === "f32";
    if (narrow && tensor.shape.length === 4) this.halves.add(tensor);
    return tensor;
  }

  /**
   * A table `[values]` of whole numbers that lies outside the program and never changes; the same one
   * for equal values.
   */
  constant(name: string, values: readonly number[]): Tensor {
    const key = values.join();
    let found = this.#constants.get(key);
    if (!found) {
      const table = new Tensor(name, [values.length], "u32");
      this.#constants.set(key, found = this.#outside(table, values));
    }
    return found;
  }

  /** Ends the recording: what comes later would be no part of the program. */
  end(): void {
    this.#ended = true;
  }

  #record(command: Command): void {
    if (this.#ended) {
      const what = command.kind === "dispatch" ? `kernel ${command.kernel.name}` : command.kind;
      throw new TypeError(`Cannot record ${what}: the trace has ended`);
    }
    this.commands.push(command);
    const written = command.kind === "dispatch"
      ? Object.values(command.writes)
      : [command.kind === "clear" ? command.tensor : command.to];
    for (const tensor of written) this.#copies.written(tensor);
  }

  /**
   * The operands of a kernel, where it reads half floats those that stand in for tensors from outside.
   */
  #narrowed({ reads: kinds }: Kernel, reads: Dispatch["reads"]): Dispatch["reads"] {
    if (!Object.values(kinds).includes("half")) return reads;
    return Object.fromEntries(
      Object.entries(reads).map((
        [name, tensor],
      ) => [name, kinds[name] === "half" ? this.#copies.of(tensor) : tensor]),
    );
  }

  /** Raises a `TypeError` for a tensor that is neither of this trace nor alive outside. */
  #demandUsable(tensor: Tensor, where: string): void {
    if (this.#made.has(tensor)) return;
    if (tensor.temporary) {
      throw new TypeError(
        `Cannot use tensor ${tensor.name}${where}: it belongs to another trace; keep() it there`,
      );
    }
    this.gpu.storageOf(tensor, where);
  }

  /**
   * Records a run of a kernel. Raises a `TypeError` for tensors that are missing, of the wrong type, or
   * not alive, and a `RangeError` for loops that the adapter would end before they are done.
   */
  run<R extends string, W extends string, D extends string>(
    kernel: Kernel<R, W, D>,
    operands: Operands<R, W, D>,
  ): void {
    demandOperands(kernel, operands);
    for (const tensor of operandsOf(operands)) {
      this.#demandUsable(tensor, ` in kernel ${kernel.name}`);
    }
    demandIterations(this.gpu, kernel, operands);
    const reads = this.#narrowed(kernel, operands.reads);
    const work = this.#work;
    this.#record({
      kind: "dispatch",
      kernel,
      ...operands,
      reads,
      ...work !== undefined && { work },
    });
  }

  /** Names in profiles what the kernels that `record` records are a part of. */
  within(work: string, record: () => void): void {
    const around = this.#work;
    this.#work = work;
    try {
      record();
    } finally {
      this.#work = around;
    }
  }

  /** Records zeros over a tensor. */
  clear(tensor: Tensor): void {
    this.#demandUsable(tensor, "");
    this.#record({ kind: "clear", tensor });
  }

  /** Gives a tensor of the trace the place in memory of `at`, a tensor from outside. */
  place(tensor: Tensor, at: Tensor): void {
    tensor.storage = this.gpu.storageOf(at);
  }

  /** Records a copy. Raises a `TypeError` for tensors of different numbers of words. */
  copy(from: Tensor, to: Tensor): void {
    if (from.words !== to.words) {
      throw new TypeError(
        `Cannot copy ${from.name} [${from.shape}] to ${to.name} [${to.shape}]: wanted as many words`,
      );
    }
    this.#demandUsable(from, "");
    this.#demandUsable(to, "");
    this.#record({ kind: "copy", from, to });
  }

  /** A tensor outside the program that each replay fills with `tensor`. */
  keep(tensor: Tensor): Tensor {
    this.#demandUsable(tensor, "");
    const kept = this.#outside(tensor);
    this.copy(tensor, kept);
    return kept;
  }
}
