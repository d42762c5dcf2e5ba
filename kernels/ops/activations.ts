import { elementwise, spread } from "../wgsl/elementwise.ts";
import { NORMAL_TAIL, normalBelow } from "../wgsl/normal_distribution.ts";
import type { Case, Op } from "../op.ts";

/** Attributes of an activation that has none. */
export type ActivationAttributes = Readonly<Record<string, never>>;

/** Attributes of a leaky ReLU. */
export interface LeakyReluAttributes {
  /** The slope below 0, from 0 on. */
  readonly slope: number;
}

/** A function of one number that is applied to each element. */
export interface Activation<A> {
  readonly name: string;
  /**
   * WGSL of `value_of(x)` and `slope_of(v)` on vec4, where NaN passes: the function and its
   * derivative; numbers in the attributes are `dims.NAME`.
   */
  readonly functions: string;
  /** What the derivative is computed from: x, or y, which leaves the memory of x to others. */
  readonly slopeFrom: "x" | "y";
  /** Whether its value at 0 is another number, so that the padding has to be set to 0 again. */
  readonly shifts?: boolean;
  /** The function in float64. */
  readonly value: (x: number, attributes: A) => number;
  /** Where the derivative jumps; cases keep away from there. */
  readonly kinks: readonly number[];
  /** The attributes of its cases. Default: none. */
  readonly attributes: readonly A[];
  /** Raises an error for wrong attributes. */
  readonly check?: (attributes: A) => void;
}

const SHAPES = [[1], [63], [65], [7, 17], [2, 3, 5, 7], [1, 23, 29, 20]];

/** The cases: 2 N(0, 1), moved 0.1 away from kinks. */
function casesOf<A>({ kinks, attributes }: Pick<Activation<A>, "kinks" | "attributes">): Case<A>[] {
  const sample = (normal: () => number): number => {
    const x = 2 * normal();
    const kink = kinks.find((at) => Math.abs(x - at) < 0.1);
    return kink === undefined ? x : kink + (x < kink ? -0.1 : 0.1);
  };
  return SHAPES.map((shape, i) => ({
    inputs: [{ shape, sample }],
    attributes: attributes[i % attributes.length],
  }));
}

/** The op that applies a function to each element, of any shape. */
function activation<A extends Readonly<Record<keyof A, number>>>(
  { name, functions, slopeFrom, shifts, value, kinks, attributes, check }: Activation<A>,
): Op<A> {
  const numbers: Record<string, "f32"> = Object.fromEntries(
    Object.keys(attributes[0]).map((key) => [key, "f32" as const]),
  );
  const forward = elementwise<"x", string>({
    name,
    reads: { x: "bulk" },
    dims: { ...numbers, channels: "u32" },
    functions,
    ...(shifts && {
      once: "let inside = vec4u(c * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.channels);",
    }),
    value: (at) => shifts ? `select(vec4f(), value_of(x(${at})), inside)` : `value_of(x(${at}))`,
  });
  const backward = elementwise<"v" | "dy", string>({
    name: `${name} gradient`,
    reads: { v: "bulk", dy: "bulk" },
    dims: numbers,
    functions,
    value: (at) => `slope_of(v(${at})) * dy(${at})`,
  });
  return {
    name,
    forward: (trace, [x], attributes) => {
      check?.(attributes);
      const y = trace.tensor(name, x.shape);
      const { dims, workgroups } = spread(y);
      trace.run(forward, {
        reads: { x },
        writes: { y },
        dims: { ...dims, ...attributes, channels: x.shape.at(-1) ?? 1 },
        workgroups,
      });
      return [y];
    },
    vjp: (trace, { inputs: [x], outputs: [y], attributes }, dy) => {
      const dx = trace.tensor(`${name} gradient`, x.shape);
      const { dims, workgroups } = spread(dx);
      trace.run(backward, {
        reads: { v: slopeFrom === "x" ? x : y, dy },
        writes: { y: dx },
        dims: { ...dims, ...attributes },
        workgroups,
      });
      return [dx];
    },
    reference: ([{ shape, data }], attributes) => {
      check?.(attributes);
      return [{ shape, data: data.map((x) => value(x, attributes)) }];
    },
    cases: casesOf({ kinks, attributes }),
  };
}

/** 1 / (1 + exp(-x)), of a power that is at most 1: nothing overflows. */
const SIGMOID = /* wgsl */ `
fn logistic(x: vec4f) -> vec4f {
  let power = exp(-abs(x));
  return select(vec4f(1.0), power, x < vec4f()) / (1.0 + power);
}`;

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function clip(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

/** `sigmoid(x)` is `1 / (1 + exp(-x))`, of any shape. */
export const sigmoid: Op<ActivationAttributes> = activation({
  name: "sigmoid",
  functions: /* wgsl */ `${SIGMOID}
fn value_of(x: vec4f) -> vec4f { return logistic(x); }
fn slope_of(y: vec4f) -> vec4f { return y * (1.0 - y); }`,
  slopeFrom: "y",
  shifts: true,
  value: logistic,
  kinks: [],
  attributes: [{}],
});

/** `hardSigmoid(x)` is `x / 6 + 1 / 2`, cut off at 0 and 1, of any shape. */
export const hardSigmoid: Op<ActivationAttributes> = activation({
  name: "hard sigmoid",
  functions: /* wgsl */ `
fn value_of(x: vec4f) -> vec4f {
  let y = fma(x, vec4f(1.0 / 6.0), vec4f(0.5));
  return select(select(y, vec4f(), y < vec4f()), vec4f(1.0), y > vec4f(1.0));
}
fn slope_of(y: vec4f) -> vec4f {
  return select(vec4f(), vec4f(1.0 / 6.0), (y > vec4f()) & (y < vec4f(1.0)));
}`,
  slopeFrom: "y",
  shifts: true,
  value: (x) => clip(x / 6 + 0.5, 0, 1),
  kinks: [-3, 3],
  attributes: [{}],
});

const SILU: Activation<ActivationAttributes> = {
  name: "silu",
  functions: /* wgsl */ `${SIGMOID}
fn value_of(x: vec4f) -> vec4f { return x * logistic(x); }
fn slope_of(x: vec4f) -> vec4f {
  // σ(x) (1 + x (1 - σ(x))), and 1 - σ(x) = σ(-x)
  return logistic(x) * fma(x, logistic(-x), vec4f(1.0));
}`,
  slopeFrom: "x",
  value: (x) => x * logistic(x),
  kinks: [],
  attributes: [{}],
};

/** `silu(x)` is `x · sigmoid(x)`, of any shape. */
export const silu: Op<ActivationAttributes> = activation(SILU);

const HARD_SWISH: Activation<ActivationAttributes> = {
  name: "hard swish",
  functions: /* wgsl */ `
fn value_of(x: vec4f) -> vec4f {
  let part = fma(x, vec4f(1.0 / 6.0), vec4f(0.5));
  return x * select(select(part, vec4f(), part < vec4f()), vec4f(1.0), part > vec4f(1.0));
}
fn slope_of(x: vec4f) -> vec4f {
  let slope = fma(x, vec4f(1.0 / 3.0), vec4f(0.5));
  return select(select(slope, vec4f(), x <= vec4f(-3.0)), vec4f(1.0), x >= vec4f(3.0));
}`,
  slopeFrom: "x",
  value: (x) => x * clip(x / 6 + 0.5, 0, 1),
  kinks: [-3, 3],
  attributes: [{}],
};

/** `hardSwish(x)` is `x · hardSigmoid(x)`, of any shape; its slope at ±3 is 0 and 1. */
export const hardSwish: Op<ActivationAttributes> = activation(HARD_SWISH);

const RELU6: Activation<ActivationAttributes> = {
  name: "relu6",
  functions: /* wgsl */ `
fn value_of(x: vec4f) -> vec4f {
  return select(select(x, vec4f(), x < vec4f()), vec4f(6.0), x > vec4f(6.0));
}
fn slope_of(y: vec4f) -> vec4f {
  return select(vec4f(), vec4f(1.0), (y > vec4f()) & (y < vec4f(6.0)));
}`,
  slopeFrom: "y",
  value: (x) => clip(x, 0, 6),
  kinks: [0, 6],
  attributes: [{}],
};

/** `relu6(x)` is `x` cut off at 0 and 6, of any shape; its slope at either is 0, as in PyTorch. */
export const relu6: Op<ActivationAttributes> = activation(RELU6);

/** `leakyRelu(x)` is `x` above 0 and `slope · x` elsewhere, of any shape. */
export const leakyRelu: Op<LeakyReluAttributes> = activation({
  name: "leaky relu",
  functions: /* wgsl */ `
fn value_of(x: vec4f) -> vec4f { return select(dims.slope * x, x, x > vec4f()); }
fn slope_of(y: vec4f) -> vec4f {
  return select(vec4f(dims.slope), vec4f(1.0), y > vec4f());
}`,
  slopeFrom: "y",
  value: (x, { slope }) => x > 0 ? x : slope * x,
  kinks: [0],
  attributes: [{ slope: 0.01 }, { slope: 0.25 }, { slope: 0 }],
  check: ({ slope }) => {
    if (slope >= 0 && Number.isFinite(slope)) return;
    throw new RangeError(
      `Cannot apply leaky relu: wanted a finite slope from 0 on, found ${slope}`,
    );
  },
});

/**
 * `gelu(x)` is x times the chance that N(0, 1) lies below x, `x / 2 · (1 + erf(x / √2))`, of any
 * shape; within 1e-6 of it, relative to x where x is above 1.
 */
export const gelu: Op<ActivationAttributes> = activation({
  name: "gelu",
  functions: /* wgsl */ `${NORMAL_TAIL}
// Above 20 the tail is 0 in float32, and x² is still far from infinite.
fn distance(x: vec4f) -> vec4f { return select(abs(x), vec4f(20.0), abs(x) > vec4f(20.0)); }
fn value_of(x: vec4f) -> vec4f {
  let a = distance(x);
  let missing = a * normal_tail(a, exp(-0.5 * a * a));
  return select(x - missing, -missing, x < vec4f());
}
// Φ(x) + x φ(x)
fn slope_of(x: vec4f) -> vec4f {
  let a = distance(x);
  let bell = exp(-0.5 * a * a);
  let rest = normal_tail(a, bell) - a * bell * ${1 / Math.sqrt(2 * Math.PI)};
  return select(1.0 - rest, rest, x < vec4f());
}`,
  slopeFrom: "x",
  value: (x) => x * normalBelow(x),
  kinks: [],
  attributes: [{}],
});

/** Activations that a norm can do as it writes its result. */
export type FusedActivation = "relu6" | "silu" | "hardSwish";

/** By name: activations of 0 at 0, so that padding stays what it is. */
export const FUSED_ACTIVATIONS: Readonly<
  Record<FusedActivation, Activation<ActivationAttributes>>
> = { relu6: RELU6, silu: SILU, hardSwish: HARD_SWISH };
