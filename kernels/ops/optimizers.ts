import { defineKernel, type Kernel, type Read } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Case, Input, Op, Values } from "../op.ts";
import { checkGuard } from "./guarded.ts";

/** Attributes of stochastic gradient descent. */
export interface SgdAttributes {
  /** The factor of the parameter that is added to its gradient. */
  readonly weightDecay: number;
  /** Whether the step looks ahead along the velocity. */
  readonly nesterov: boolean;
  /** Whether there is a last input, `decays` `[n]`: factors of the weight decay, 0 or more. */
  readonly decays?: boolean;
}

/** Attributes of AdamW. */
export interface AdamwAttributes {
  /** The decay of the mean of squared gradients, below 1. */
  readonly beta2: number;
  /** The number that is added to the root of that mean. */
  readonly eps: number;
  /** The factor of learning rate times parameter that is subtracted from the parameter. */
  readonly weightDecay: number;
  /** Whether there is a last input, `decays` `[n]`: factors of the weight decay, 0 or more. */
  readonly decays?: boolean;
}

/** What a step may be given besides parameters, gradients, state and numbers. */
interface Extras<T> {
  readonly guard?: T;
  readonly decays?: T;
}

/** The inputs from the `own`th on, told apart. Raises a `TypeError` for too few or too many. */
function extrasOf<T>(
  name: string,
  inputs: readonly T[],
  { own, decays }: { own: number; decays?: boolean },
): Extras<T> {
  const least = own + (decays ? 1 : 0);
  if (inputs.length < least || inputs.length > least + 1) {
    throw new TypeError(
      `Cannot apply ${name}: wanted ${least} inputs and a guard or none, found ${inputs.length}`,
    );
  }
  return {
    guard: inputs.length > least ? inputs[own] : undefined,
    decays: decays ? inputs[inputs.length - 1] : undefined,
  };
}

/** One vec4 per invocation; `scale` is the factor on gradients. */
function eachQuad(guarded: boolean, body: string): string {
  return /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  if (i >= dims.quads${guarded ? " || guard(0u).y == 0.0" : ""}) { return; }
  let rates = hyper(0u);
  let scale = ${guarded ? "guard(0u).x" : "1.0"};
  ${body}
}`;
}

type Reads = "gradients" | "hyper" | "guard" | "decays";

/** Which of {@link Extras} there are. */
type Has = Readonly<Record<keyof Extras<unknown>, boolean>>;

function hasOf({ guard, decays }: Extras<unknown>): Has {
  return { guard: guard !== undefined, decays: decays !== undefined };
}

/** The operands that are read; a guard and decays only where there are some. */
function readsOf({ guard, decays }: Has): Record<Reads, Read> {
  const reads = { gradients: "bulk", hyper: "channel" } as const;
  return {
    ...reads,
    ...guard ? { guard: "channel" } : {},
    ...decays ? { decays: "bulk" } : {},
  } as Record<Reads, Read>;
}

/** The tensors of {@link readsOf}. */
function operandsRead(
  gradients: Tensor,
  hyper: Tensor,
  { guard, decays }: Extras<Tensor>,
): Record<Reads, Tensor> {
  return {
    ...{ gradients, hyper },
    ...guard ? { guard } : {},
    ...decays ? { decays } : {},
  } as Record<Reads, Tensor>;
}

function nameOf(name: string, { guard, decays }: Has): string {
  return `${name}${guard ? ", guarded" : ""}${decays ? ", with decays" : ""}`;
}

function sgdKernel(
  nesterov: boolean,
  has: Has,
): Kernel<Reads, "parameters" | "velocity", "quads" | "weight_decay"> {
  return defineKernel({
    name: nameOf(`sgd${nesterov ? ", nesterov" : ""}`, has),
    workgroupSize: 64,
    reads: readsOf(has),
    writes: { parameters: "update", velocity: "update" },
    dims: { quads: "u32", weight_decay: "f32" },
    // rates = (learning rate, momentum, 0, 0)
    wgsl: eachQuad(
      has.guard,
      `
  let p = parameters(i);
  let g = fma(${
        has.decays ? "dims.weight_decay * decays(i)" : "vec4f(dims.weight_decay)"
      }, p, scale * gradients(i));
  let v = fma(vec4f(rates.y), velocity(i), g);
  set_velocity(i, v);
  set_parameters(i, p - rates.x * ${nesterov ? "fma(vec4f(rates.y), v, g)" : "v"});`,
    ),
  });
}

function adamwKernel(
  has: Has,
): Kernel<Reads, "parameters" | "m" | "v", "quads" | "weight_decay" | "beta2" | "rest2" | "eps"> {
  return defineKernel({
    name: nameOf("adamw", has),
    workgroupSize: 64,
    reads: readsOf(has),
    writes: { parameters: "update", m: "update", v: "update" },
    // 1 - beta2 comes by itself, as the difference is inexact in single precision.
    dims: { quads: "u32", weight_decay: "f32", beta2: "f32", rest2: "f32", eps: "f32" },
    // rates = (learning rate, beta1, 1 - beta1^t, 1 - beta2^t)
    wgsl: eachQuad(
      has.guard,
      `
  let g = scale * gradients(i);
  let m_new = fma(vec4f(rates.y), m(i), (1.0 - rates.y) * g);
  let v_new = fma(vec4f(dims.beta2), v(i), dims.rest2 * g * g);
  let step = (m_new / rates.z) / (sqrt(v_new / rates.w) + dims.eps);
  set_m(i, m_new);
  set_v(i, v_new);
  set_parameters(i, parameters(i) * (1.0 - rates.x * dims.weight_decay${
        has.decays ? " * decays(i)" : ""
      }) - rates.x * step);`,
    ),
  });
}

/** Raises a `TypeError` unless all `state` is shaped as the parameters, and hyper is `[4]`. */
function checkState(
  name: string,
  parameters: { readonly shape: readonly number[] },
  state: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  hyper: { readonly shape: readonly number[] },
): void {
  for (const [what, { shape }] of Object.entries(state)) {
    if (
      shape.length !== parameters.shape.length || shape.some((d, i) => d !== parameters.shape[i])
    ) {
      throw new TypeError(
        `Cannot apply ${name} as the parameters are [${parameters.shape}]: found ${what} [${shape}]`,
      );
    }
  }
  if (hyper.shape.length !== 1 || hyper.shape[0] !== 4) {
    throw new TypeError(
      `Cannot apply ${name}: wanted four numbers of the step, hyper [4], found [${hyper.shape}]`,
    );
  }
}

function checkRange(name: string, what: string, value: number, below: number): void {
  if (!(value >= 0 && value < below)) {
    throw new RangeError(
      `Cannot apply ${name}: wanted ${what} from 0 ${
        below < Infinity ? `to below ${below}` : "on"
      }, ` +
        `found ${value}`,
    );
  }
}

function checkSgd(
  inputs: readonly { readonly shape: readonly number[] }[],
  { weightDecay, decays: has }: SgdAttributes,
): void {
  const [parameters, gradients, velocity, hyper] = inputs;
  const { guard, decays } = extrasOf("sgd", inputs, { own: 4, decays: has });
  if (guard) checkGuard("sgd", guard);
  const state = {
    ...{ "the gradients": gradients, "the velocity": velocity },
    ...decays && { "the decays": decays },
  };
  checkState("sgd", parameters, state, hyper);
  checkRange("sgd", "a weight decay", weightDecay, Infinity);
}

function checkAdamw(
  inputs: readonly { readonly shape: readonly number[] }[],
  { beta2, eps, weightDecay, decays: has }: AdamwAttributes,
): void {
  const [parameters, gradients, m, v, hyper] = inputs;
  const { guard, decays } = extrasOf("adamw", inputs, { own: 5, decays: has });
  if (guard) checkGuard("adamw", guard);
  const state = { "the gradients": gradients, m, v, ...decays && { "the decays": decays } };
  checkState("adamw", parameters, state, hyper);
  checkRange("adamw", "a weight decay", weightDecay, Infinity);
  checkRange("adamw", "beta2", beta2, 1);
  if (!(eps > 0 && eps < Infinity)) {
    throw new RangeError(`Cannot apply adamw: wanted eps above 0, found ${eps}`);
  }
}

/** The factor on gradients; 0 where the step does not count. */
function scaleOf(guard?: Values): number {
  return guard ? guard.data[0] * guard.data[1] : 1;
}

function sgdReference(
  inputs: readonly Values[],
  { weightDecay, nesterov, decays: has }: SgdAttributes,
): Values[] {
  const [parameters, gradients, velocity, hyper] = inputs;
  const { guard, decays } = extrasOf("sgd", inputs, { own: 4, decays: has });
  const scale = scaleOf(guard);
  if (scale === 0) return [parameters, velocity];
  const [rate, momentum] = hyper.data;
  const p = parameters.data.slice();
  const v = velocity.data.slice();
  gradients.data.forEach((gradient, i) => {
    const g = scale * gradient + weightDecay * (decays?.data[i] ?? 1) * p[i];
    v[i] = momentum * v[i] + g;
    p[i] -= rate * (nesterov ? g + momentum * v[i] : v[i]);
  });
  return [{ shape: parameters.shape, data: p }, { shape: velocity.shape, data: v }];
}

function adamwReference(
  inputs: readonly Values[],
  { beta2, eps, weightDecay, decays: has }: AdamwAttributes,
): Values[] {
  const [parameters, gradients, first, second, hyper] = inputs;
  const { guard, decays } = extrasOf("adamw", inputs, { own: 5, decays: has });
  const scale = scaleOf(guard);
  if (scale === 0) return [parameters, first, second];
  const [rate, beta1, correction1, correction2] = hyper.data;
  const p = parameters.data.slice();
  const m = first.data.slice();
  const v = second.data.slice();
  gradients.data.forEach((gradient, i) => {
    const g = scale * gradient;
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    p[i] *= 1 - rate * weightDecay * (decays?.data[i] ?? 1);
    p[i] -= rate * (m[i] / correction1) / (Math.sqrt(v[i] / correction2) + eps);
  });
  return [p, m, v].map((data) => ({ shape: parameters.shape, data }));
}

const hyperInput = (...values: number[]): Input => ({
  shape: [4],
  sample: (_, i) => values[i],
});

/** Factors of the weight decay: every third parameter has none. */
const decaysInput = (n: number, decays?: boolean): Input[] =>
  decays ? [{ shape: [n], sample: (_, i) => i % 3 === 0 ? 0 : 1 }] : [];

/** The guard of a step whose gradients are scaled by `scale`; one that does not count at 0. */
const guardInput = (scale?: number): Input[] =>
  scale === undefined ? [] : [hyperInput(scale, scale ? 1 : 0, 0, 0)];

const sgdCase = (
  n: number,
  { momentum, scale }: { momentum: number; scale?: number },
  attributes: SgdAttributes,
): Case<SgdAttributes> => ({
  inputs: [
    ...[[n], [n], [n]],
    hyperInput(0.1, momentum, 0, 0),
    ...guardInput(scale),
    ...decaysInput(n, attributes.decays),
  ],
  attributes,
});

/**
 * `sgd(parameters, gradients, velocity, hyper, guard?, decays?)`: one step of PyTorch's SGD, in place, over
 * flat arrays `[n]`; hyper `[4]` is (learning rate, momentum, 0, 0). The guard `[4]` of
 * {@link guardStep} scales gradients, and leaves all as it is where the step does not count. With
 * `decays` `[n]`, weightDecay is multiplied by that of each parameter.
 *
 *     g = gradients + weightDecay · p;  v = momentum · v + g
 *     p = p - rate · (nesterov ? g + momentum · v : v)
 */
export const sgd: Op<SgdAttributes> = {
  name: "sgd",
  forward: (trace, inputs, attributes) => {
    checkSgd(inputs, attributes);
    const [parameters, gradients, velocity, hyper] = inputs;
    const extras = extrasOf("sgd", inputs, { own: 4, decays: attributes.decays });
    trace.run(sgdKernel(attributes.nesterov, hasOf(extras)), {
      reads: operandsRead(gradients, hyper, extras),
      writes: { parameters, velocity },
      dims: { quads: parameters.quads, weight_decay: attributes.weightDecay },
      workgroups: Math.ceil(parameters.quads / 64),
      flops: 7 * 4 * parameters.quads,
    });
    return [parameters, velocity];
  },
  vjp: "none",
  reference: (inputs, attributes) => {
    checkSgd(inputs, attributes);
    return sgdReference(inputs, attributes);
  },
  cases: [
    sgdCase(1, { momentum: 0.9 }, { weightDecay: 0, nesterov: false }),
    sgdCase(63, { momentum: 0 }, { weightDecay: 1e-2, nesterov: false }),
    sgdCase(1031, { momentum: 0.9 }, { weightDecay: 1e-4, nesterov: false }),
    sgdCase(2050, { momentum: 0.95 }, { weightDecay: 0.1, nesterov: true }),
    sgdCase(131, { momentum: 0.9, scale: 0.3 }, { weightDecay: 1e-2, nesterov: true }),
    sgdCase(131, { momentum: 0.9, scale: 0 }, { weightDecay: 1e-2, nesterov: false }),
    sgdCase(67, { momentum: 0.9 }, { weightDecay: 0.5, nesterov: true, decays: true }),
    sgdCase(66, { momentum: 0.9, scale: 1 }, { weightDecay: 0.5, nesterov: false, decays: true }),
  ],
};

const adamwCase = (
  n: number,
  { step, beta1, scale }: { step: number; beta1: number; scale?: number },
  attributes: AdamwAttributes,
): Case<AdamwAttributes> => ({
  inputs: [
    [n],
    [n],
    [n],
    { shape: [n], sample: (normal) => normal() ** 2 },
    hyperInput(1e-2, beta1, 1 - beta1 ** step, 1 - attributes.beta2 ** step),
    ...guardInput(scale),
    ...decaysInput(n, attributes.decays),
  ],
  attributes,
});

/**
 * `adamw(parameters, gradients, m, v, hyper, guard?, decays?)`: one step of PyTorch's AdamW, in place, over
 * flat arrays `[n]`; hyper `[4]` is (learning rate, beta1, 1 - beta1^t, 1 - beta2^t) for the step t.
 * Guard and decays are those of {@link sgd}.
 *
 *     m = beta1 · m + (1 - beta1) · g;  v = beta2 · v + (1 - beta2) · g²
 *     p = p · (1 - rate · weightDecay) - rate · (m / (1 - beta1^t)) / (√(v / (1 - beta2^t)) + eps)
 */
export const adamw: Op<AdamwAttributes> = {
  name: "adamw",
  forward: (trace, inputs, attributes) => {
    checkAdamw(inputs, attributes);
    const [parameters, gradients, m, v, hyper] = inputs;
    const { beta2, eps, weightDecay, decays } = attributes;
    const extras = extrasOf("adamw", inputs, { own: 5, decays });
    trace.run(adamwKernel(hasOf(extras)), {
      reads: operandsRead(gradients, hyper, extras),
      writes: { parameters, m, v },
      dims: { quads: parameters.quads, weight_decay: weightDecay, beta2, rest2: 1 - beta2, eps },
      workgroups: Math.ceil(parameters.quads / 64),
      flops: 14 * 4 * parameters.quads,
    });
    return [parameters, m, v];
  },
  vjp: "none",
  reference: (inputs, attributes) => {
    checkAdamw(inputs, attributes);
    return adamwReference(inputs, attributes);
  },
  cases: [
    adamwCase(1, { step: 1, beta1: 0.9 }, { beta2: 0.999, eps: 1e-8, weightDecay: 0 }),
    adamwCase(65, { step: 7, beta1: 0.95 }, { beta2: 0.99, eps: 1e-6, weightDecay: 1e-2 }),
    adamwCase(1031, { step: 1000, beta1: 0.85 }, { beta2: 0.99, eps: 1e-2, weightDecay: 1 }),
    adamwCase(67, { step: 5, beta1: 0.9, scale: 0.3 }, { beta2: 0.99, eps: 1e-2, weightDecay: 0 }),
    adamwCase(67, { step: 5, beta1: 0.9, scale: 0 }, { beta2: 0.99, eps: 1e-2, weightDecay: 1 }),
    adamwCase(65, { step: 5, beta1: 0.9 }, {
      beta2: 0.99,
      eps: 1e-2,
      weightDecay: 5,
      decays: true,
    }),
    adamwCase(66, { step: 5, beta1: 0.9, scale: 1 }, {
      ...{ beta2: 0.99, eps: 1e-2, weightDecay: 5, decays: true },
    }),
  ],
};
