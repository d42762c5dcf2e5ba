import type { Scope } from "../kernels/program/scope.ts";
import { ALIGNMENT, pad, paddedElements, type Tensor, unpad } from "../kernels/gpu/tensor.ts";

/** A named array of numbers: a weight, a bias, a running statistic. */
export interface ParameterSpec {
  /** The name of its layer and, after a dot, what it is to it: `conv1.weight`. */
  readonly name: string;
  /** Convolutions `[height, width, in, out]`, classifiers `[in, out]`, all else `[channels]`. */
  readonly shape: readonly number[];
}

/** Values by name, row-major and unpadded, in the layout of the GPU (see {@link Tensor}). */
export type State = Map<string, Float32Array>;

/** Named tensors that lie one behind the other in a single buffer. */
export class Parameters {
  /** In the order in which they lie. */
  readonly specs: readonly ParameterSpec[];
  /** All of them as one tensor, with gaps of zeros for alignment. */
  readonly flat: Tensor;
  readonly #views = new Map<string, Tensor>();
  readonly #starts = new Map<string, number>();
  readonly #scope: Scope;

  /**
   * Takes memory from the scope for all of them at once; it is zero until {@link load}. Raises a
   * `TypeError` for a name that two of them have.
   */
  constructor(scope: Scope, name: string, specs: readonly ParameterSpec[]) {
    this.#scope = scope;
    this.specs = specs;
    const words = ALIGNMENT / 4;
    let end = 0;
    for (const spec of specs) {
      if (this.#starts.has(spec.name)) {
        throw new TypeError(`Cannot lay out ${name}: there are two named ${spec.name}`);
      }
      // A filter begins where its copy in half floats is aligned, too.
      const step = spec.shape.length > 1 ? 2 * words : words;
      const start = Math.ceil(end / step) * step;
      this.#starts.set(spec.name, start);
      end = start + Math.ceil(paddedElements(spec.shape) / words) * words;
    }
    this.flat = scope.tensor(name, [Math.max(words, end)]);
    for (const spec of specs) {
      const start = this.#start(spec.name);
      this.#views.set(spec.name, scope.view(spec.name, this.flat, start, spec.shape));
    }
  }

  #start(name: string): number {
    const start = this.#starts.get(name);
    if (start === undefined) throw new TypeError(`Cannot find parameter ${name}`);
    return start;
  }

  /** The tensor of this name. Raises a `TypeError` when there is none. */
  get(name: string): Tensor {
    const view = this.#views.get(name);
    if (!view) throw new TypeError(`Cannot find parameter ${name}`);
    return view;
  }

  /** Whether there is a tensor of this name. */
  has(name: string): boolean {
    return this.#views.has(name);
  }

  /** Writes the values of those of its names that `state` has; the others become zero. */
  load(state: State): void {
    const all = new Float32Array(this.flat.words);
    for (const { name, shape } of this.specs) {
      const values = state.get(name);
      if (values) all.set(pad(values, shape), this.#start(name));
    }
    this.#scope.gpu.upload(this.flat, all);
  }

  /** Takes apart what was read of {@link flat}. */
  split(flat: Float32Array): State {
    return new Map(this.specs.map(({ name, shape }) => {
      const start = this.#start(name);
      return [name, unpad(flat.slice(start, start + this.get(name).words), shape)];
    }));
  }
}
