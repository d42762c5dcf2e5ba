import type { Read } from "../gpu/kernel.ts";
import type { Input, Values } from "../op.ts";
import { eachQuad, type LogitRows } from "./logit_rows.ts";
import { checkLogits, checkVector, logSoftmax, type Typed } from "./softmax.ts";

/** Attributes of a loss on labels. */
export interface CrossEntropyAttributes {
  /** The share of the target that is spread evenly over all classes. */
  readonly labelSmoothing: number;
  /**
   * Whether images are mixed of two. Adds the inputs `others` `[batch]` of type u32, the label of
   * the second, and `shares` `[batch]`, that of the first in the target, from 0 to 1.
   */
  readonly mixed?: boolean;
  /** Whether classes have weights. Adds the input `classWeights` `[classes]`, none negative. */
  readonly weighted?: boolean;
}

/** What tells the target of each image, in tensors or in values. */
export interface Target<T> {
  /** `[batch]`: the class of each image. */
  readonly labels: T;
  /** `[batch]` each: the class of what is mixed into each image, and the share of the first. */
  readonly mix?: { readonly others: T; readonly shares: T };
  /** `[classes]`. */
  readonly weights?: T;
}

/** The name of a loss, and its inputs: logits, labels, others of its own, what attributes add. */
export interface LossSignature {
  /** The name in errors. */
  readonly name: string;
  /** How many logits come first. */
  readonly logits: number;
  /** How many inputs come before those that attributes add. */
  readonly own: number;
}

/** The numbers that a loss on logits `[batch, classes]` takes. */
export const LOSS_DIMS = { batch: "u32", classes: "u32", smoothing: "f32" } as const;

/** The inputs of a loss, told apart. */
export interface LossOperands<T> {
  /** `[batch, classes]`, one or two. */
  readonly logits: readonly T[];
  /** Labels and what attributes add. */
  readonly target: Target<T>;
  /** The sizes, and the label smoothing. */
  readonly dims: Readonly<Record<keyof typeof LOSS_DIMS, number>>;
}

function checkVectorOf(
  name: string,
  what: string,
  length: number,
  type: "f32" | "u32",
  found: Typed,
): void {
  checkVector(name, what, length, found);
  if (found.type !== undefined && found.type !== type) {
    throw new TypeError(
      `Cannot apply ${name}: wanted ${what} of type ${type}, found ${found.type}`,
    );
  }
}

/**
 * Tells the inputs of a loss apart. Raises a `TypeError` for inputs that are too few or too many,
 * or of wrong shapes or types, and a `RangeError` unless 0 <= labelSmoothing <= 1.
 */
export function lossOperands<T extends Typed>(
  { name, logits: count, own }: LossSignature,
  inputs: readonly T[],
  { labelSmoothing: smoothing, mixed = false, weighted = false }: CrossEntropyAttributes,
): LossOperands<T> {
  const wanted = own + (mixed ? 2 : 0) + (weighted ? 1 : 0);
  if (inputs.length !== wanted) {
    throw new TypeError(
      `Cannot apply ${name}${mixed ? ", mixed" : ""}${weighted ? ", weighted" : ""}: wanted ` +
        `${wanted} inputs, found ${inputs.length}`,
    );
  }
  const logits = inputs.slice(0, count);
  const labels = inputs[count];
  checkLogits(name, logits, labels);
  const [batch, classes] = logits[0].shape;
  const added = inputs.slice(own);
  const [others, shares] = added;
  const weights = weighted ? added[added.length - 1] : undefined;
  if (mixed) {
    checkVectorOf(name, "others", batch, "u32", others);
    checkVectorOf(name, "shares", batch, "f32", shares);
  }
  if (weights) checkVectorOf(name, "classWeights", classes, "f32", weights);
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new RangeError(
      `Cannot apply ${name}: wanted a label smoothing from 0 to 1, found ${smoothing}`,
    );
  }
  return {
    logits,
    target: { labels, mix: mixed ? { others, shares } : undefined, weights },
    dims: { batch, classes, smoothing },
  };
}

/** How kernels read a target. */
export function targetReads({ mixed, weighted }: CrossEntropyAttributes): Record<string, Read> {
  return {
    labels: "u32",
    ...(mixed && { others: "u32", shares: "f32" }),
    ...(weighted && { weights: "small" }),
  };
}

/** What kernels read of a target, by the names of {@link targetReads}. */
export function targetOperands<T>({ labels, mix, weights }: Target<T>): Record<string, T> {
  return { labels, ...mix, ...(weights && { weights }) };
}

/**
 * The loops over a row of {@link crossEntropyOf}; the second stands for one more sum over lanes.
 */
export function crossEntropyLoops({ weighted }: CrossEntropyAttributes): number {
  return weighted ? 2 : 1;
}

/**
 * WGSL for the logits `x`: `x_cross_entropy(row, norm)` is (-Σ_c w_c target_c log p_c, weight,
 * Σ_c w_c target_c). Without weights of classes the last two are 0, as nothing reads them. A label
 * that is no class has no cross entropy, and makes the loss NaN.
 */
export function crossEntropyOf(
  x: string,
  rows: LogitRows,
  { mixed, weighted }: CrossEntropyAttributes,
): string {
  const parts = mixed
    ? [["shares[row]", "labels[row]"], ["(1.0 - shares[row])", "others[row]"]]
    : [["1.0", "labels[row]"]];
  const weight = (label: string): string => `weights(${label} / 4u)[${label} & 3u]`;
  const times = (share: string): string => share === "1.0" ? "" : `${share} * `;
  const own = parts.map(([share, label]) =>
    `${times(share)}${weighted ? `${weight(label)} * ` : ""}${x}_at(start, ${label}, norm)`
  );
  const label = parts.map(([, label]) => label);
  return /* wgsl */ `
fn ${x}_at(start: u32, label: u32, norm: vec2f) -> f32 {
  return ${x}_log_softmax(start + label / 4u, norm)[label & 3u];
}
fn ${x}_cross_entropy(row: u32, norm: vec2f) -> vec3f {
  let start = row * row_quads();
  var sum = vec4f();
  var weight_sum = vec4f();
  if (dims.smoothing > 0.0) {
    ${eachQuad(rows)} {
      let log_p = ${x}_log_softmax(start + quad, norm);
      sum += select(vec4f(), ${weighted ? "weights(quad) * log_p" : "log_p"}, is_class(quad));
      ${weighted ? "weight_sum += weights(quad);" : ""}
    }
    sum = sum_over_lanes(sum);
    ${weighted ? "weight_sum = sum_over_lanes(weight_sum);" : ""}
  }
  if (${label.map((label) => `${label} >= dims.classes`).join(" || ")}) {
    return vec3f(bitcast<f32>(${label.join(" | ")} | 0x7fc00000u));
  }
  let even = dims.smoothing / f32(dims.classes);
  let entropy = -(1.0 - dims.smoothing) * (${own.join(" + ")})
    - even * ((sum.x + sum.y) + (sum.z + sum.w));
  ${
    weighted
      ? `let weight = ${parts.map(([share, c]) => `${times(share)}${weight(c)}`).join(" + ")};
  let of_target = (1.0 - dims.smoothing) * weight
    + even * ((weight_sum.x + weight_sum.y) + (weight_sum.z + weight_sum.w));
  return vec3f(entropy, weight, of_target);`
      : "return vec3f(entropy, 0.0, 0.0);"
  }
}`;
}

/**
 * WGSL of `entropy_slope(quad, row, p)`, the gradient of the mean cross entropy times the batch with
 * respect to four logits whose probabilities are p: p - target or, where classes have weights,
 *
 *     batch / total · (p Σ_k w_k target_k - w target)
 */
export function entropySlopeOf({ mixed, weighted }: CrossEntropyAttributes): string {
  const target = mixed
    ? `let own = select(vec4f(), vec4f(shares[row]), class_of(quad) == vec4u(labels[row]))
    + select(vec4f(), vec4f(1.0 - shares[row]), class_of(quad) == vec4u(others[row]));
  return (1.0 - dims.smoothing) * own + even;`
    : `let label = vec4u(labels[row]);
  return select(vec4f(even), vec4f(1.0 - dims.smoothing + even), class_of(quad) == label);`;
  return /* wgsl */ `
fn target_of(quad: u32, row: u32) -> vec4f {
  let even = dims.smoothing / f32(dims.classes);
  ${target}
}
fn entropy_slope(quad: u32, row: u32, p: vec4f) -> vec4f {
  ${
    weighted
      ? `let slope = rows(row * 2u + 1u).w * p - weights(quad) * target_of(quad, row);
  return f32(dims.batch) / total(0u).x * slope;`
      : "return p - target_of(quad, row);"
  }
}`;
}

/**
 * The mean cross entropy of logits in float64: -Σ_nc w_c target_nc log p_nc, over the batch or, where
 * classes have weights, over Σ_nc w_c target_nc without smoothing.
 */
export function meanCrossEntropy(
  logits: Values,
  target: Target<Values>,
  smoothing: number,
): number {
  const { labels, mix, weights } = target;
  const [batch, classes] = logits.shape;
  let sum = 0;
  let total = 0;
  logSoftmax(logits).forEach((logp, i) => {
    const [row, c] = [Math.floor(i / classes), i % classes];
    const share = mix ? mix.shares.data[row] : 1;
    const other = mix && c === mix.others.data[row] ? 1 - share : 0;
    const own = (c === labels.data[row] ? share : 0) + other;
    const weight = weights ? weights.data[c] : 1;
    sum -= weight * ((1 - smoothing) * own + smoothing / classes) * logp;
    total += weight * own;
  });
  return sum / (weights ? total : batch);
}

/** Labels of a case: the last class first, then classes at random. */
export function someLabels(batch: number, classes: number): Input {
  return {
    shape: [batch],
    type: "u32",
    sample: (normal, i) => i === 0 ? classes - 1 : Math.floor(Math.abs(normal()) * 1e4) % classes,
  };
}

/** What attributes add to the inputs of a case. The first of several classes has weight 0. */
export function someTargets(
  [batch, classes]: readonly [number, number],
  { mixed, weighted }: CrossEntropyAttributes,
): Input[] {
  const fixed = { differentiable: false } as const;
  const mix: Input[] = [
    someLabels(batch, classes),
    { shape: [batch], sample: (normal, i) => i === 1 ? 1 : Math.abs(normal()) % 1, ...fixed },
  ];
  const weights: Input = {
    shape: [classes],
    sample: (normal, i) => i === 0 && classes > 1 ? 0 : 0.1 + Math.abs(normal()),
    ...fixed,
  };
  return [...(mixed ? mix : []), ...(weighted ? [weights] : [])];
}
