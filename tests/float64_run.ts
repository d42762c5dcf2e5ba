// Networks in float64: their layers run as ever, but what an op gives is computed by its reference.
import type { Random } from "../data/random.ts";
import { Tensor } from "../kernels/gpu/tensor.ts";
import type { Values } from "../kernels/op.ts";
import type { Apply } from "../nn/layers/layer.ts";
import type { State } from "../nn/parameters.ts";
import type { ParameterSpec } from "../nn/parameters.ts";

/** The largest error of a number of size 1 that is rounded to float32. */
const ROUNDING = 2 ** -24;

/** Moves values by about as much as computing them in float32 does: of their root mean square. */
function rounded({ shape, data }: Values, random: Random): Values {
  const scale = ROUNDING * Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length);
  return { shape, data: data.map((v) => v + scale * random.normal()) };
}

/** Values in float64 that stand for tensors of a network. */
export class Float64Run {
  readonly #values = new Map<Tensor, Values>();
  readonly #parameters = new Map<string, Tensor>();
  readonly #random: Random | undefined;

  /**
   * Takes the values of parameters and running statistics. With random numbers, what each op gives is
   * moved as rounding to float32 would: how far the end is moved tells how a network amplifies that.
   */
  constructor(
    specs: readonly ParameterSpec[],
    state: State | ReadonlyMap<string, Float64Array>,
    random?: Random,
  ) {
    this.#random = random;
    for (const { name, shape } of specs) {
      const data = state.get(name);
      if (!data) throw new TypeError(`Cannot run in float64: ${name} is missing`);
      this.#parameters.set(name, this.tensor(name, { shape, data: Float64Array.from(data) }));
    }
  }

  /** A tensor of these values. */
  tensor(name: string, values: Values): Tensor {
    const tensor = new Tensor(name, values.shape, "f32", true);
    this.#values.set(tensor, values);
    return tensor;
  }

  /** The values of a tensor. */
  read(tensor: Tensor): Float64Array {
    return this.#of(tensor).data;
  }

  #of(tensor: Tensor): Values {
    const found = this.#values.get(tensor);
    if (!found) throw new TypeError(`Cannot read ${tensor.name}: it has no values in float64`);
    return found;
  }

  /** Gives a parameter as layers ask for it. */
  readonly parameter = (name: string): Tensor => {
    const found = this.#parameters.get(name);
    if (!found) throw new TypeError(`Cannot find parameter ${name}`);
    return found;
  };

  /** Applies the reference of an op. */
  readonly apply: Apply = (op, inputs, attributes) =>
    op.reference(inputs.map((x) => this.#of(x)), attributes).map((values) =>
      this.tensor(op.name, this.#random ? rounded(values, this.#random) : values)
    );
}
