import { eachQuad, type LogitRows } from "./logit_rows.ts";
import type { Values } from "../op.ts";

/** WGSL that tells classes from padding. */
export const CLASSES = /* wgsl */ `
fn class_of(quad: u32) -> vec4u { return vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u); }
fn is_class(quad: u32) -> vec4<bool> { return class_of(quad) < vec4u(dims.classes); }
fn row_quads() -> u32 { return (dims.classes + 3u) / 4u; }`;

/** WGSL for the logits `x`: `x_log_softmax(i, norm)`, the logarithms of four probabilities. */
export function logSoftmaxOf(x: string): string {
  return /* wgsl */ `
fn ${x}_log_softmax(i: u32, norm: vec2f) -> vec4f { return (${x}(i) - norm.x) - norm.y; }`;
}

/** The loops over a row of {@link normOf}. */
export const NORM_LOOPS = 2;

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
