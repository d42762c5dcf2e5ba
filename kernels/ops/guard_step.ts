import { defineKernel, type Kernel, type Read } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Case, Op, Values } from "../op.ts";
import type { Trace } from "../program/trace.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { NOT_FINITE } from "../wgsl/not_finite.ts";

/** Steps in a row that do not count, after which none counts any more. */
export const MOST_LOST = 3;

/** The most workgroups that go over a tensor. */
const MOST_PARTS = 256;

/** Rows of 64 quads that a workgroup goes over at least: fewer cost less than adding up their sums. */
const LEAST_ROWS = 16;

/** What is added to a norm before it is divided by, as in PyTorch. */
const EPS = 1e-6;

/** Attributes of a guard. */
export interface GuardAttributes {
  /** The norm that the first gradient is scaled down to where it is larger. Default: none. */
  readonly clip?: number;
  /** Whether the last input is the scale of the loss. */
  readonly scaled?: boolean;
}

/** Steps in a row that count, after which the scale of the loss doubles, as PyTorch's does. */
export const GROWTH_STEPS = 2000;

/** The largest scale of a loss. */
const MOST_SCALE = 2 ** 24;

// Adds up what the lanes of a workgroup have, into sums[0].
const ADD_UP = /* wgsl */ `
var<workgroup> sums: array<vec2f, ${LANES}>;
fn add_up(own: vec2f, lane: u32) {
  sums[lane] = own;
  workgroupBarrier();
  for (var half = ${LANES / 2}u; half > 0u; half /= 2u) {
    if (lane < half) { sums[lane] += sums[lane + half]; }
    workgroupBarrier();
  }
}`;

// part: (Σ x², quads with infinite numbers or NaN, 0, 0) of every `parts`-th row of 64 quads.
const partsKernel = (x: Read) =>
  defineKernel({
    name: "squares and numbers that are none",
    workgroupSize: LANES,
    reads: { x },
    writes: { part: "bulk" },
    dims: { quads: "u32", parts: "u32" },
    wgsl: /* wgsl */ `
${NOT_FINITE}${ADD_UP}
fn main(workgroup: u32, lane: u32) {
  var squares = vec4f();
  var wrong = 0.0;
  for (var i = workgroup * ${LANES}u + lane; i < dims.quads; i += dims.parts * ${LANES}u) {
    let v = x(i);
    squares = fma(v, v, squares);
    wrong += select(0.0, 1.0, not_finite(v));
  }
  add_up(vec2f((squares.x + squares.y) + (squares.z + squares.w), wrong), lane);
  if (lane == 0u) { set_part(workgroup, vec4f(sums[0], 0.0, 0.0)); }
  workgroupBarrier();
}`,
    iterations: ({ quads, parts }) => Math.ceil(quads / (parts * LANES)) + 8,
  });

/**
 * Records (Σ x², how many quads hold numbers that are none, 0, 0) of parts of `x`, `[parts, 4]`. A
 * `small` tensor is read from its buffer, and not copied to a texture.
 */
export function recordParts(trace: Trace, x: Tensor, read: "bulk" | "small" = "bulk"): Tensor {
  const parts = Math.min(MOST_PARTS, Math.ceil(x.quads / (LANES * LEAST_ROWS)));
  const part = trace.tensor(`${x.name} parts`, [parts, 4]);
  trace.run(partsKernel(read), {
    reads: { x },
    writes: { part },
    dims: { quads: x.quads, parts },
    workgroups: parts,
  });
  return part;
}

const NAMES = ["first", "second"] as const;

// Of a scaled loss: too large a scale explains gradients that are no numbers, so it is halved, down to
// 1. Losses are told without it.
const SCALED = {
  before: "let factor = scaling[0];",
  overflow: "wrong && !diverged && !ended && factor > 1.0",
  after: /* wgsl */ `
    let good = select(0.0, scaling[2] + 1.0, counts);
    let grows = good >= ${GROWTH_STEPS}.0;
    let larger = select(factor, min(factor * 2.0, ${MOST_SCALE}.0), grows);
    scaling[0] = select(larger, max(factor * 0.5, 1.0), overflow);
    scaling[1] = 1.0 / scaling[0];
    scaling[2] = select(good, 0.0, grows);
    scaling[3] += select(0.0, 1.0, overflow);`,
};

const UNSCALED = { before: "let factor = 1.0;", overflow: "false", after: "" };

/** The kernel for one or two gradients, of a loss that is scaled or not. */
function guardKernel(
  gradients: number,
  scaled: boolean,
): Kernel<"losses" | typeof NAMES[number], "guard" | "scaling", string> {
  const names = NAMES.slice(0, gradients);
  const squares = (name: string): string =>
    `for (var i = lane; i < dims.${name}_parts; i += ${LANES}u) { sum += ${name}(i).xy${
      name === "first" ? "" : " * vec2f(0.0, 1.0)"
    }; }`;
  const { before, overflow, after } = scaled ? SCALED : UNSCALED;
  return defineKernel({
    name: `guard step${gradients > 1 ? ", two gradients" : ""}${scaled ? ", scaled loss" : ""}`,
    workgroupSize: LANES,
    reads: {
      losses: "channel",
      ...Object.fromEntries(names.map((name) => [name, "small"])),
    } as Record<"losses" | typeof NAMES[number], "channel" | "small">,
    writes: { guard: "f32", ...scaled ? { scaling: "f32" } : {} } as Record<
      "guard" | "scaling",
      "f32"
    >,
    dims: {
      clip: "f32",
      ...Object.fromEntries(names.map((name) => [`${name}_parts`, "u32"])),
    } as Record<string, "f32" | "u32">,
    // Lost steps in a row stay at the most: from then on nothing counts until they are set to 0.
    wgsl: /* wgsl */ `
${NOT_FINITE}${ADD_UP}
fn main(workgroup: u32, lane: u32) {
  var sum = vec2f();
  ${names.map(squares).join("\n  ")}
  add_up(sum, lane);
  if (lane == 0u) {
    ${before}
    let squares = sums[0].x;
    let diverged = not_finite(losses(0u));
    let wrong = diverged || sums[0].y > 0.0 || not_finite(vec4f(squares));
    let ended = guard[2] >= ${MOST_LOST}.0;
    let counts = !wrong && !ended;
    let overflow = ${overflow};
    let lost = !counts && !overflow;
    let scale = min(1.0, dims.clip / (sqrt(squares) / factor + ${EPS})) / factor;
    guard[0] = select(0.0, scale, counts);
    guard[1] = select(0.0, 1.0, counts);
    guard[2] = select(guard[2] + select(0.0, 1.0, lost && !ended), 0.0, counts);
    guard[3] += select(0.0, 1.0, lost);${after}
  }
}`,
    iterations: ({ first_parts, second_parts = 0 }) =>
      Math.ceil(first_parts / LANES) + Math.ceil(second_parts / LANES) + 9,
  });
}

type Shaped = { readonly shape: readonly number[] };

/** The inputs by what they are. */
function inputsOf<T extends Shaped>(inputs: readonly T[], { scaled }: GuardAttributes) {
  const [guard, losses, ...others] = inputs;
  const scaling = scaled ? others.pop() : undefined;
  return { guard, losses, gradients: others, scaling };
}

function checkGuard(inputs: readonly Shaped[], attributes: GuardAttributes): void {
  const { guard, losses, gradients, scaling } = inputsOf(inputs, attributes);
  const { clip } = attributes;
  const four = [["the guard", guard], ["the losses", losses], ["the scale", scaling]] as const;
  for (const [what, found] of four) {
    if (!found) continue;
    if (found.shape.length === 1 && found.shape[0] === 4) continue;
    throw new TypeError(`Cannot guard a step: wanted ${what} [4], found [${found.shape}]`);
  }
  if (gradients.length < 1 || gradients.length > NAMES.length) {
    throw new TypeError(
      `Cannot guard a step: wanted one or two gradients, found ${gradients.length}`,
    );
  }
  if (clip !== undefined && !(clip > 0 && clip < Infinity)) {
    throw new RangeError(`Cannot guard a step: wanted a norm above 0 to clip to, found ${clip}`);
  }
}

/** The largest number of single precision: a norm that no gradient is scaled down to. */
const NO_CLIP = 3.4028234663852886e38;

function guardReference(inputs: readonly Values[], attributes: GuardAttributes): Values[] {
  const { guard, losses, gradients, scaling } = inputsOf(inputs, attributes);
  const { clip = Infinity } = attributes;
  const [, , lost, all] = guard.data;
  const [factor, , good, overflows] = scaling?.data ?? [1, 1, 0, 0];
  const squares = gradients[0].data.reduce((sum, x) => sum + x * x, 0);
  const isFinite = ({ data }: Values) => data.every((x) => Number.isFinite(Math.fround(x)));
  const numbers = [losses, ...gradients].every(isFinite);
  const counts = numbers && lost < MOST_LOST;
  const overflow = !numbers && isFinite(losses) && lost < MOST_LOST && factor > 1;
  const scale = Math.min(1, clip / (Math.sqrt(squares) / factor + EPS)) / factor;
  const after = overflow ? [lost, all] : [Math.min(MOST_LOST, lost + 1), all + 1];
  const decided = counts ? [scale, 1, 0, all] : [0, 0, ...after];
  const four = (data: readonly number[]): Values => ({ shape: [4], data: Float64Array.from(data) });
  if (!scaling) return [four(decided)];
  const grows = counts && good + 1 >= GROWTH_STEPS;
  const larger = grows ? Math.min(2 * factor, MOST_SCALE) : factor;
  const next = overflow ? Math.max(factor / 2, 1) : larger;
  const row = counts && !grows ? good + 1 : 0;
  return [four(decided), four([next, 1 / next, row, overflows + (overflow ? 1 : 0)])];
}

/**
 * Gradients `[n]` after a guard that has seen `lost` steps; those at `wrong` are no numbers, nor is a
 * loss that is `diverged`.
 */
function example(
  n: number,
  { lost = 0, clip, wrong, diverged, infinite, second = [], scaling }: {
    lost?: number;
    clip?: number;
    wrong?: number;
    diverged?: boolean;
    infinite?: boolean;
    second?: readonly number[];
    scaling?: readonly number[];
  } = {},
): Case<GuardAttributes> {
  const guard = [1, 1, lost, 5];
  const none = infinite ? -Infinity : NaN;
  return {
    inputs: [
      { shape: [4], sample: (_, i) => guard[i] },
      { shape: [4], sample: (normal, i) => diverged && i === 2 ? NaN : normal() },
      { shape: [n], sample: (normal, i) => i === wrong ? none : normal() },
      ...second.map((size) => ({ shape: [size] })),
      ...scaling ? [{ shape: [4], sample: (_: unknown, i: number) => scaling[i] }] : [],
    ],
    attributes: { ...clip === undefined ? {} : { clip }, ...scaling ? { scaled: true } : {} },
  };
}

/**
 * `guardStep(guard, losses, gradient, second?, scaling?)`: decides whether a step counts. It does unless the
 * losses `[4]` or the gradients hold infinite numbers or NaN, the sum of squares of the first
 * gradient is infinite, or {@link MOST_LOST} steps in a row did not. The guard `[4]` is updated in
 * place:
 *
 * - 0: the factor on gradients, min(1, clip / (√Σ gradient² + 1e-6)) as in PyTorch's
 *   `clip_grad_norm_`; the norm is that of the first gradient. 0 where the step does not count.
 * - 1: 1 where the step counts, else 0.
 * - 2: steps in a row that did not, {@link MOST_LOST} at most.
 * - 3: all steps that did not.
 *
 * With `scaled`, gradients are those of a loss times the first number of `scaling` `[4]`: (scale,
 * 1 / scale, steps in a row that counted, overflows). The factor on gradients takes the scale off
 * again. A step whose gradients alone hold such numbers while the scale is above 1 is an overflow: it
 * halves the scale, and is no lost step; {@link GROWTH_STEPS} steps in a row that count double it (arXiv 1710.03740).
 */
export const guardStep: Op<GuardAttributes> = {
  name: "guard step",
  forward: (trace, inputs, attributes) => {
    checkGuard(inputs, attributes);
    const { guard, losses, gradients, scaling } = inputsOf(inputs, attributes);
    const parts = gradients.map((gradient) => recordParts(trace, gradient));
    const named = Object.fromEntries(parts.map((part, i) => [NAMES[i], part]));
    const counts = Object.fromEntries(
      parts.map(({ shape }, i) => [`${NAMES[i]}_parts`, shape[0]]),
    );
    trace.run(guardKernel(parts.length, scaling !== undefined), {
      reads: { losses, ...named } as Record<"losses" | typeof NAMES[number], Tensor>,
      writes: { guard, ...scaling ? { scaling } : {} } as Record<"guard" | "scaling", Tensor>,
      dims: { clip: attributes.clip ?? NO_CLIP, ...counts },
      workgroups: 1,
    });
    return [guard, ...scaling ? [scaling] : []];
  },
  vjp: "none",
  reference: (inputs, attributes) => {
    checkGuard(inputs, attributes);
    return guardReference(inputs, attributes);
  },
  cases: [
    example(1),
    example(63, { lost: 2, clip: 0.5 }),
    example(1031, { clip: 100 }),
    example(300_001, { clip: 3, second: [12] }),
    example(2050, { wrong: 2049 }),
    example(300, { wrong: 7, infinite: true, lost: 1, second: [5] }),
    example(9, { lost: MOST_LOST }),
    example(130, { clip: 0.001, scaling: [1024, 1 / 1024, 7, 2] }),
    example(65, { wrong: 3, lost: 1, scaling: [1024, 1 / 1024, 7, 2] }),
    example(65, { wrong: 3, lost: 1, scaling: [1, 1, 7, 2], second: [5] }),
    example(64, { scaling: [256, 1 / 256, GROWTH_STEPS - 1, 0] }),
    example(64, { scaling: [MOST_SCALE, 1 / MOST_SCALE, GROWTH_STEPS - 1, 0] }),
    example(9, { wrong: 1, lost: MOST_LOST, scaling: [8, 1 / 8, 0, 1] }),
    example(70, { wrong: 1, diverged: true, scaling: [1024, 1 / 1024, 7, 2] }),
  ],
};
