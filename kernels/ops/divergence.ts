import { defineKernel } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Case, Input, Values } from "../op.ts";
import type { Trace } from "../program/trace.ts";
import { eachQuad, type LogitRows, overLanes } from "./logit_rows.ts";
import { meanIterations } from "./mean_loss.ts";
import { CLASSES, logSoftmaxOf, normOf, type Typed } from "./softmax.ts";

/** Attributes of what tells two networks' outputs apart. */
export interface DivergenceAttributes {
  /**
   * What logits are divided by before the softmax. The divergence is multiplied by its square, so
   * that its gradients stay as large (Hinton et al. 2015, arXiv 1503.02531).
   */
  readonly temperature: number;
  /** Whether there is no gradient for the first logits, as for those of a fixed teacher. */
  readonly detach: boolean;
}

/** The numbers that all divergences take: `cool` is 1 / temperature. */
export const DIVERGENCE_DIMS = { batch: "u32", classes: "u32", cool: "f32" } as const;

/** Values of {@link DIVERGENCE_DIMS}. */
export type DivergenceDims = Readonly<Record<keyof typeof DIVERGENCE_DIMS, number>>;

/**
 * The sizes of logits `[batch, classes]` of two networks. Raises a `TypeError` for other shapes, and
 * a `RangeError` for a temperature that is not above 0.
 */
export function divergenceDims(
  name: string,
  [base, small]: readonly Typed[],
  { temperature }: DivergenceAttributes,
): DivergenceDims {
  const [batch, classes] = base.shape;
  const alike = base.shape.length === 2 && small.shape.length === 2 &&
    small.shape[0] === batch && small.shape[1] === classes;
  if (!alike) {
    throw new TypeError(
      `Cannot apply ${name}: wanted both logits [batch, classes], found [${base.shape}] and ` +
        `[${small.shape}]`,
    );
  }
  if (!(temperature > 0 && temperature < Infinity)) {
    throw new RangeError(
      `Cannot apply ${name}: wanted a temperature above 0, found ${temperature}`,
    );
  }
  return { batch, classes, cool: 1 / temperature };
}

/** Raises a `RangeError` for a weight of a part of a divergence that is below 0 or no number. */
export function checkPartWeights(name: string, weights: Readonly<Record<string, number>>): void {
  for (const [what, weight] of Object.entries(weights)) {
    if (weight >= 0 && weight < Infinity) continue;
    throw new RangeError(`Cannot apply ${name}: wanted ${what} from 0 on, found ${weight}`);
  }
}

/**
 * WGSL of both networks' logits over the temperature, `p` of the base and `q` of the small one, and
 * of `p_log_softmax(i, norm)` and `q_log_softmax(i, norm)`.
 */
export const COOLED_LOGITS = /* wgsl */ `
${CLASSES}
fn p(i: u32) -> vec4f { return dims.cool * base(i); }
fn q(i: u32) -> vec4f { return dims.cool * small(i); }
${logSoftmaxOf("p")}
${logSoftmaxOf("q")}
fn sum_of(x: vec4f) -> f32 { return (x.x + x.y) + (x.z + x.w); }`;

/** {@link COOLED_LOGITS} with the norms of rows, `p_norm(row)` and `q_norm(row)`. */
export function cooledRows(rows: LogitRows): string {
  return `${COOLED_LOGITS}\n${overLanes(rows)}\n${normOf("p", rows)}\n${normOf("q", rows)}`;
}

/** WGSL that adds up the four numbers of `term` over all classes of a row, by all of its lanes. */
export function overClasses(rows: LogitRows, name: string, term: string): string {
  return /* wgsl */ `
  var ${name}_sums = vec4f();
  ${eachQuad(rows)} {
    let i = row * row_quads() + quad;
    ${term}
    ${name}_sums += select(vec4f(), ${name}_term, is_class(quad));
  }
  let ${name} = sum_of(sum_over_lanes(${name}_sums));`;
}

const meanKernel = defineKernel({
  name: "mean divergence",
  workgroupSize: 64,
  reads: { rows: "small" },
  writes: { value: "bulk" },
  dims: { batch: "u32", quads: "u32", factor: "f32" },
  wgsl: /* wgsl */ `
var<workgroup> sums: array<f32, 64>;
fn main(workgroup: u32, lane: u32) {
  var sum = 0.0;
  for (var row = lane; row < dims.batch; row += 64u) {
    sum += rows(row * dims.quads + dims.quads - 1u).x;
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) { sum += sums[i]; }
    set_value(0u, vec4f(dims.factor * sum / f32(dims.batch), 0.0, 0.0, 0.0));
  }
}`,
  iterations: ({ batch }) => meanIterations({ batch }),
});

/** Records `factor` times the mean, over rows `[batch, n]`, of the first of their last four numbers. */
export function recordMeanDivergence(trace: Trace, rows: Tensor, factor: number): Tensor {
  const [batch, length] = rows.shape;
  const value = trace.tensor("divergence", [1]);
  trace.run(meanKernel, {
    reads: { rows },
    writes: { value },
    dims: { batch, quads: length / 4, factor },
    workgroups: 1,
  });
  return value;
}

/** Logits over a temperature. */
export function cooled({ shape, data }: Values, temperature: number): Values {
  return { shape, data: data.map((x) => x / temperature) };
}

/** A divergence as an output of an op. */
export function divergenceValue(value: number): Values {
  return { shape: [1], data: Float64Array.of(value) };
}

/** A case on logits drawn with a standard deviation of `scale`. */
export function divergenceCase<A extends DivergenceAttributes>(
  { batch, classes, scale = 1, more = [] }: {
    readonly batch: number;
    readonly classes: number;
    readonly scale?: number;
    /** Inputs after the logits. */
    readonly more?: readonly Input[];
  },
  attributes: A,
): Case<A> {
  const logits = { shape: [batch, classes], sample: (normal: () => number) => scale * normal() };
  return {
    // The finite differences of a check know of no detaching.
    inputs: [{ ...logits, differentiable: !attributes.detach }, logits, ...more],
    attributes,
  };
}
