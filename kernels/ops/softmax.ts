import { defineKernel } from "../gpu/kernel.ts";
import { eachQuad, type LogitRows } from "./logit_rows.ts";
import type { Input, Values } from "../op.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** The numbers that a loss on logits `[batch, classes]` takes. */
export const LOGIT_DIMS = { batch: "u32", classes: "u32", smoothing: "f32" } as const;

/** WGSL that tells classes from padding. */
export const CLASSES = /* wgsl */ `
fn class_of(quad: u32) -> vec4u { return vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u); }
fn is_class(quad: u32) -> vec4<bool> { return class_of(quad) < vec4u(dims.classes); }
fn row_quads() -> u32 { return (dims.classes + 3u) / 4u; }`;

/** WGSL for the target distribution of a label, four classes at a time. */
export const TARGET = /* wgsl */ `
// (1 - smoothing) [class = label] + smoothing / classes
fn target_of(quad: u32, label: u32) -> vec4f {
  let even = dims.smoothing / f32(dims.classes);
  return select(vec4f(even), vec4f(1.0 - dims.smoothing + even), class_of(quad) == vec4u(label));
}`;

/** WGSL for the logits `x`: `x_log_softmax(i, norm)`, the logarithms of four probabilities. */
export function logSoftmaxOf(x: string): string {
  return /* wgsl */ `
fn ${x}_log_softmax(i: u32, norm: vec2f) -> vec4f { return (${x}(i) - norm.x) - norm.y; }`;
}

/** The loops over a row of {@link normOf}, and of {@link crossEntropyOf}. */
export const NORM_LOOPS = 2;
export const CROSS_ENTROPY_LOOPS = 1;

/**
 * WGSL for the logits `x`: `x_norm(row)` is (m, log Σ_c exp(x_c - m)) with m the largest logit, so
 * that nothing overflows.
 */
export function normOf(x: string, rows: LogitRows): string {
  return /* wgsl */ `
fn ${x}_norm(row: u32) -> vec2f {
  let start = row * row_quads();
  var high = vec4f(-3.0e38);
  ${eachQuad(rows)} {
    high = max(high, select(vec4f(-3.0e38), ${x}(start + quad), is_class(quad)));
  }
  high = max_over_lanes(high);
  let m = max(max(high.x, high.y), max(high.z, high.w));
  var sum = vec4f();
  ${eachQuad(rows)} {
    sum += select(vec4f(), exp(${x}(start + quad) - m), is_class(quad));
  }
  sum = sum_over_lanes(sum);
  return vec2f(m, log((sum.x + sum.y) + (sum.z + sum.w)));
}`;
}

/**
 * WGSL for the logits `x`: `x_cross_entropy(row, label, norm)`, with label smoothing as in PyTorch:
 * -(1 - smoothing) log p_label - smoothing / classes · Σ_c log p_c. A label that is no class has no
 * cross entropy, and makes the loss NaN.
 */
export function crossEntropyOf(x: string, rows: LogitRows): string {
  return /* wgsl */ `
fn ${x}_cross_entropy(row: u32, label: u32, norm: vec2f) -> f32 {
  let start = row * row_quads();
  var sum = vec4f();
  if (dims.smoothing > 0.0) {
    ${eachQuad(rows)} {
      sum += select(vec4f(), ${x}_log_softmax(start + quad, norm), is_class(quad));
    }
    sum = sum_over_lanes(sum);
  }
  if (label >= dims.classes) { return bitcast<f32>(label | 0x7fc00000u); }
  let own = ${x}_log_softmax(start + label / 4u, norm);
  return -(1.0 - dims.smoothing) * own[label & 3u]
    - dims.smoothing / f32(dims.classes) * ((sum.x + sum.y) + (sum.z + sum.w));
}`;
}

/** The iterations of the mean over the rows of a batch, by one workgroup. */
export function meanIterations({ batch }: Readonly<Record<"batch", number>>): number {
  return Math.ceil(batch / 64) + 1 + 64;
}

function meanWgsl(weight: string): string {
  return /* wgsl */ `
var<workgroup> sums: array<vec4f, 64>;
fn main(workgroup: u32, lane: u32) {
  var sum = vec4f();
  for (var row = lane; row < dims.batch; row += 64u) { sum += rows(row * 2u + 1u); }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) { sum += sums[i]; }
    let mean = sum / f32(dims.batch);
    let loss = mean.x + ${weight} * mean.y;
    set_loss(0u, vec4f(loss, 0.0, 0.0, 0.0));
    set_parts(0u, vec4f(loss, mean.x, mean.y, 1.0));
  }
}`;
}

const mean = defineKernel({
  name: "mean loss",
  workgroupSize: 64,
  reads: { rows: "small" },
  writes: { loss: "bulk", parts: "bulk" },
  dims: { batch: "u32" },
  wgsl: meanWgsl("1.0"),
  iterations: meanIterations,
});

const weightedMean = defineKernel({
  ...mean,
  name: "mean loss, weighted",
  reads: { rows: "small", lambda: "channel" },
  wgsl: meanWgsl("lambda(0u).x"),
});

/**
 * Records the means over rows `[batch, 8]` that hold (cross entropy, divergence) in elements 4 and
 * 5: the loss `[1]`, cross entropy + lambda · divergence (lambda `[1]`; 1 without it), and the
 * parts `[4]`, (loss, cross entropy, divergence, 1).
 */
export function recordMeanLoss(trace: Trace, rows: Tensor, lambda?: Tensor): Tensor[] {
  const loss = trace.tensor("loss", [1]);
  const parts = trace.tensor("loss parts", [4]);
  const common = { writes: { loss, parts }, dims: { batch: rows.shape[0] }, workgroups: 1 };
  if (lambda) trace.run(weightedMean, { ...common, reads: { rows, lambda } });
  else trace.run(mean, { ...common, reads: { rows } });
  return [loss, parts];
}

/** Anything with a shape and, on the GPU, an element type. */
export type Typed = { readonly shape: readonly number[]; readonly type?: string };

/**
 * Raises a `TypeError` unless all logits are `[batch, classes]` alike and labels `[batch]`, u32.
 */
export function checkLogits(name: string, logits: readonly Typed[], labels: Typed): void {
  const [{ shape: [batch, classes] }] = logits;
  const fits = ({ shape }: Typed): boolean =>
    shape.length === 2 && shape[0] === batch && shape[1] === classes;
  if (!logits.every(fits) || labels.shape.length !== 1 || labels.shape[0] !== batch) {
    const found = [...logits, labels].map(({ shape }) => `[${shape}]`).join(", ");
    throw new TypeError(
      `Cannot apply ${name}: wanted ${logits.length > 1 ? "both logits" : "logits"} ` +
        `[batch, classes] and labels [batch], found ${found}`,
    );
  }
  if (labels.type === "f32") {
    throw new TypeError(
      `Cannot apply ${name}: wanted labels of type u32, found f32; make their tensor with type u32`,
    );
  }
}

/** Raises a `RangeError` unless 0 <= smoothing <= 1. */
export function checkSmoothing(name: string, smoothing: number): void {
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new RangeError(
      `Cannot apply ${name}: wanted a label smoothing from 0 to 1, found ${smoothing}`,
    );
  }
}

/** Raises a `TypeError` unless a tensor has this one dimension. */
export function checkVector(name: string, what: string, length: number, { shape }: Typed): void {
  if (shape.length !== 1 || shape[0] !== length) {
    throw new TypeError(`Cannot apply ${name}: wanted ${what} [${length}], found [${shape}]`);
  }
}

/** Row by row, x - log Σ exp(x) in float64. */
export function logSoftmax({ shape: [batch, classes], data }: Values): Float64Array {
  const result = new Float64Array(batch * classes);
  for (let n = 0; n < batch; n++) {
    const row = data.subarray(n * classes, (n + 1) * classes);
    const high = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const logSum = Math.log(row.reduce((sum, x) => sum + Math.exp(x - high), 0));
    row.forEach((x, c) => result[n * classes + c] = x - high - logSum);
  }
  return result;
}

/** The mean cross entropy of logits with label smoothing, in float64. */
export function meanCrossEntropy(logits: Values, labels: Values, smoothing: number): number {
  const [batch, classes] = logits.shape;
  let sum = 0;
  logSoftmax(logits).forEach((logp, i) => {
    const own = i % classes === labels.data[Math.floor(i / classes)];
    sum -= ((own ? 1 - smoothing : 0) + smoothing / classes) * logp;
  });
  return sum / batch;
}

/** The mean of KL(softmax(p) ‖ softmax(q)) over the rows, in float64. */
export function meanDivergence(p: Values, q: Values): number {
  const logq = logSoftmax(q);
  const sum = logSoftmax(p).reduce(
    (total, logp, i) => total + Math.exp(logp) * (logp - logq[i]),
    0,
  );
  return sum / p.shape[0];
}

/** The outputs of a loss: its value, and (loss, cross entropy, divergence, 1). */
export function lossValues(entropy: number, divergence = 0, lambda = 1): Values[] {
  const loss = entropy + lambda * divergence;
  return [
    { shape: [1], data: Float64Array.of(loss) },
    { shape: [4], data: Float64Array.of(loss, entropy, divergence, 1) },
  ];
}

/** Labels of a case: the last class first, then classes at random. */
export function someLabels(batch: number, classes: number): Input {
  return {
    shape: [batch],
    type: "u32",
    sample: (normal, i) => i === 0 ? classes - 1 : Math.floor(Math.abs(normal()) * 1e4) % classes,
  };
}
