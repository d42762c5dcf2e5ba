import { assembleTrace } from "./assemble_trace.ts";
import type { Device } from "../gpu/device.ts";
import { Program } from "./program.ts";
import { ALIGNMENT, ELEMENT_BYTES, type ElementType, pad, Tensor } from "../gpu/tensor.ts";
import { type Precision, Trace } from "./trace.ts";

/** Options of {@link Scope.trace}. */
export interface TraceOptions {
  /** A program of the same scope whose memory it may share. */
  readonly over?: Program;
  /** How values are kept. Default: in float32. */
  readonly precision?: Precision;
}

/** Owns tensors and programs; disposing of it frees their memory. */
export class Scope implements Disposable {
  /** The device that its memory is taken from. */
  readonly gpu: Device;
  readonly #buffers: GPUBuffer[] = [];
  readonly #tensors: Tensor[] = [];
  readonly #programs: Program[] = [];
  #ended = false;

  /** Scopes come from `Gpu.scope`. */
  constructor(gpu: Device) {
    this.gpu = gpu;
  }

  /** A tensor of zeros, or of `values` (row-major, unpadded). */
  tensor(
    name: string,
    shape: readonly number[],
    values?: ArrayLike<number>,
    type: ElementType = "f32",
  ): Tensor {
    this.#demandAlive(`make tensor ${name}`);
    if (type === "f16") this.gpu.demandHalves();
    const tensor = new Tensor(name, shape, type);
    const buffer = this.gpu.takeBuffer(name, tensor.bytes);
    this.#buffers.push(buffer);
    tensor.storage = { buffer, offset: 0 };
    this.#tensors.push(tensor);
    if (values) this.write(tensor, values);
    return tensor;
  }

  /** A tensor that is a range of another, from word `start` (a multiple of 64) on. */
  view(name: string, of: Tensor, start: number, shape: readonly number[]): Tensor {
    this.#demandAlive(`view ${of.name} as ${name}`);
    const { buffer, offset } = this.gpu.storageOf(of);
    const { of: whole, start: before } = of.range ?? { of, start: 0 };
    const range = { of: whole, start: before + start * 4 / ELEMENT_BYTES[of.type] };
    const tensor = new Tensor(name, shape, of.type, false, range);
    if (!(start >= 0) || (start * 4) % ALIGNMENT || start + tensor.words > of.words) {
      throw new RangeError(
        `Cannot view ${of.name} as ${name}: wanted a start that is a multiple of ` +
          `${ALIGNMENT / 4} with ${tensor.words} words behind it, found ${start} of ${of.words}`,
      );
    }
    tensor.storage = { buffer, offset: offset + start * 4 };
    this.#tensors.push(tensor);
    return tensor;
  }

  /** Writes `values` (row-major, unpadded) over a tensor. */
  write(tensor: Tensor, values: ArrayLike<number>): void {
    this.#demandAlive(`write tensor ${tensor.name}`);
    this.gpu.upload(tensor, pad(values, tensor.shape, tensor.type));
  }

  /**
   * Traces `build` once into a program that can be replayed. The tensors that `build` makes live
   * only inside the program, except those it keeps. Raises a `TypeError` for tensors that are not
   * alive, those of other traces, and those that are read before anything is written to them. `over`
   * is a program of this scope whose memory it may share: each replay writes over what one of the
   * other has left. `precision` `mixed` needs an adapter with `shader-f16`, and raises a
   * {@link GpuError} elsewhere.
   */
  async trace(
    name: string,
    build: (trace: Trace) => void,
    { over, precision = "float32" }: TraceOptions = {},
  ): Promise<Program> {
    this.#demandAlive(`trace ${name}`);
    if (precision === "mixed") this.gpu.demandHalves();
    const trace = new Trace(
      this.gpu,
      ({ name, shape, type }, values) => this.tensor(name, shape, values, type),
      precision,
    );
    const built: unknown = build(trace);
    trace.end();
    if (built instanceof Promise) {
      built.catch(() => {});
      throw new TypeError(
        `Cannot trace ${name}: wanted a function that records everything at once, found one that ` +
          `returns a promise`,
      );
    }
    const kernels = assembleTrace(trace);
    await this.gpu.warmUp(kernels.values());
    this.#demandAlive(`trace ${name}`);
    const program = new Program(name, trace, kernels, over);
    this.#programs.push(program);
    await this.gpu.settle();
    return program;
  }

  #demandAlive(action: string): void {
    if (this.#ended) {
      throw new TypeError(`Cannot ${action}: the scope has ended; use one that lasts`);
    }
  }

  /** Frees all tensors and programs of this scope. */
  [Symbol.dispose](): void {
    this.#ended = true;
    for (const program of this.#programs.splice(0)) program.destroy();
    for (const tensor of this.#tensors.splice(0)) tensor.storage = undefined;
    for (const buffer of this.#buffers.splice(0)) this.gpu.free(buffer);
  }
}
