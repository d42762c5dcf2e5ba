import { reductionPresets } from "../wgsl/reduction_preset.ts";
import {
  addPartialSums,
  addTwoSums,
  type PartialSumKernel,
  partialSumKernel,
  twoSums,
} from "../wgsl/partial_sums.ts";
import { alongRuns, cut, over as overRuns, pixelsOf, RUN_DIMS } from "../wgsl/runs.ts";
import { elementwise, LANES, spread } from "../wgsl/elementwise.ts";
import { defineKernel, type Kernel, type Read } from "../gpu/kernel.ts";
import { type OverNorm, overNorm, type OverNormWgsl } from "./norm_activation.ts";
import type { Context, Gradient } from "../op.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import { vectorGradient } from "./vector_gradient.ts";

/** Attributes of a batch norm. */
export interface BatchNormAttributes extends OverNorm {
  /** Added to the variance. */
  readonly eps: number;
}

/** Statistics of each channel to normalize by, running statistics for instance. */
export type Given = Readonly<Record<"center" | "variance" | "weight" | "bias", Tensor>>;

/** Statistics of a batch to normalize by; the mean is center + rest. */
export type Channels = Given | Given & { readonly rest: Tensor };

/** y = d · scale + shift with d = x - center, which is exact where the mean is far from 0. */
function coefficients(channels: Channels): string {
  return /* wgsl */ `
  let middle = center(c);
  let inverse = inverseSqrt(variance(c) + dims.eps);
  let scale = weight(c) * inverse;
  let shift = bias(c)${"rest" in channels ? " - rest(c) * scale" : ""};`;
}

/** The kinds of the per-channel operands, by name. */
function channelReads(channels: Channels): Record<string, "channel"> {
  return Object.fromEntries(Object.keys(channels).map((name) => [name, "channel"]));
}

/** Operations for each element of x, those of an activation not counted. */
const FLOPS = { normalize: 3, gradientSums: 6, inputGradient: 8 } as const;

const EPS = { eps: "f32" } as const;

function normalize(
  channels: Channels,
  { plus, ...over }: OverNorm & { plus: boolean },
): Kernel<string, "y", string> {
  const { functions, suffix, value } = overNorm(over);
  const normed = (at: string): string =>
    `fma(x(${at}) - middle, scale, shift)${plus ? ` + residual(${at})` : ""}`;
  const reads: Record<string, Read> = plus ? { residual: "bulk" } : {};
  return elementwise<string, string>({
    name: `batch norm${plus ? ", added" : ""}${suffix}`,
    reads: { x: "bulk", ...reads, ...channelReads(channels) },
    dims: EPS,
    functions,
    once: coefficients(channels),
    value: (at) => value(normed(at)),
  });
}

// g is dy times the slope of the activation: what it is applied to is computed again, which costs
// less than loading it.
const GATED = ({ functions, gradient }: OverNormWgsl): string =>
  /* wgsl */ `${functions}
fn gated(d: vec4f, scale: vec4f, shift: vec4f, dy: vec4f) -> vec4f {
  return ${gradient("fma(d, scale, shift)", "dy")};
}`;

/** part: `[Σ g, Σ g·(x - center)][parts][channels]`, one run of pixels per invocation. */
function gradientSums(channels: Channels, over: OverNormWgsl): Kernel<string, "part", string> {
  const term = (k: number): string => `
    let d${k} = x(at + ${k}u * stride) - middle;
    let g${k} = select(vec4f(), gated(d${k}, scale, shift, dy(at + ${k}u * stride)), p + ${k}u < end);
    sum += g${k};
    moment = fma(g${k}, d${k}, moment);`;
  return defineKernel<string, "part", string>({
    name: `batch norm gradient sums${over.suffix}`,
    workgroupSize: LANES,
    reads: { x: "bulk", dy: "bulk", ...channelReads(channels) },
    writes: { part: "bulk" },
    dims: { ...RUN_DIMS, ...EPS },
    wgsl: GATED(over) + alongRuns(/* wgsl */ `
  ${coefficients(channels)}
  var sum = vec4f();
  var moment = vec4f();
  for (var p = first; p < end; p += 4u) {
    let at = p * stride + c;
    ${[0, 1, 2, 3].map(term).join("")}
  }
  set_part(i, sum);
  set_part(i + dims.parts * stride, moment);`),
    iterations: ({ chunk }) => Math.ceil(chunk / 4) + 1,
  });
}

// With x' = (x - center - rest) / std: dbias = Σ g, dweight = Σ g·x'.
function parameterGradients(channels: Channels): PartialSumKernel<"dweight" | "dbias"> {
  return partialSumKernel("batch norm parameter gradients", { dweight: "bulk", dbias: "bulk" }, {
    reads: channelReads(channels),
    dims: EPS,
    sums: twoSums,
    store: `
  let inverse = inverseSqrt(variance(c) + dims.eps);
  set_dweight(i, (moment${"rest" in channels ? " - rest(c) * sum" : ""}) * inverse);
  set_dbias(i, sum);`,
  });
}

/**
 * dx = scale·(g - mean(g) - x'·mean(g·x')), as the batch statistics depend on x as well; running
 * statistics do not, and leave scale·g.
 */
function inputGradient(channels: Channels, over: OverNormWgsl): Kernel<string, "y", string> {
  const depends = "rest" in channels;
  const sums: Record<string, Read> = depends ? { dweight: "channel", dbias: "channel" } : {};
  const g = (at: string): string => `gated(x(${at}) - middle, scale, shift, dy(${at}))`;
  return elementwise<string, string>({
    name: `batch norm input gradient${over.suffix}`,
    reads: { x: "bulk", dy: "bulk", ...channelReads(channels), ...sums },
    dims: { ...EPS, pixels: "f32" },
    functions: `${GATED(over)}
fn dx(d: vec4f, scale: vec4f, shift: vec4f, dy: vec4f, slope: vec4f, offset: vec4f) -> vec4f {
  return fma(gated(d, scale, shift, dy), scale, -fma(d, slope, offset));
}`,
    once: coefficients(channels) +
      (depends
        ? `let slope = scale * inverse * dweight(c) / dims.pixels;
  let offset = scale * dbias(c) / dims.pixels - rest(c) * slope;`
        : ""),
    value: (at) =>
      depends
        ? `dx(x(${at}) - middle, scale, shift, dy(${at}), slope, offset)`
        : `scale * ${g(at)}`,
  });
}

/**
 * Records y = (x - mean) / sqrt(variance + eps) · weight + bias + residual, and an activation of it.
 */
export function recordNormalized(
  trace: Trace,
  { x, residual }: { x: Tensor; residual?: Tensor },
  channels: Channels,
  { eps, ...over }: BatchNormAttributes,
): Tensor {
  const y = trace.tensor("batch norm", x.shape);
  const { dims, workgroups } = spread(x);
  trace.run(normalize(channels, { ...over, plus: residual !== undefined }), {
    reads: { x, ...(residual && { residual }), ...channels },
    writes: { y },
    dims: { ...dims, eps },
    workgroups,
    flops: FLOPS.normalize * 4 * x.quads,
  });
  return y;
}

/** Records the gradients of the input, the weight and the bias. */
export function recordGradients(
  trace: Trace,
  { inputs: [x], attributes: { eps, ...activation }, wanted }: Omit<
    Context<BatchNormAttributes>,
    "outputs"
  >,
  channels: Channels,
  dy: Tensor,
): [Gradient, Gradient, Gradient] {
  const over = overNorm(activation);
  const depends = "rest" in channels;
  const sums = depends && wanted[0] || wanted[1] || wanted[2]
    ? recordParameterGradients(trace, { x, dy }, channels, { eps, over })
    : undefined;
  let dx: Tensor | null = null;
  if (wanted[0]) {
    dx = trace.tensor("batch norm input gradient", x.shape);
    const { dims, workgroups } = spread(x);
    trace.run(inputGradient(channels, over), {
      reads: { x, dy, ...channels, ...(depends ? sums : {}) },
      writes: { y: dx },
      dims: { ...dims, eps, pixels: pixelsOf(x) },
      workgroups,
      flops: FLOPS.inputGradient * 4 * x.quads,
    });
  }
  return [
    dx,
    sums && wanted[1] ? vectorGradient(trace, "batch norm", sums.dweight) : null,
    sums && wanted[2] ? vectorGradient(trace, "batch norm", sums.dbias) : null,
  ];
}

function recordParameterGradients(
  trace: Trace,
  { x, dy }: { x: Tensor; dy: Tensor },
  channels: Channels,
  { eps, over }: { eps: number; over: OverNormWgsl },
): { dweight: Tensor; dbias: Tensor } {
  const runs = cut(trace, x);
  const { shape } = channels.weight;
  const part = trace.tensor("batch norm sums", [2, runs.parts, ...shape]);
  const along = overRuns(runs, x);
  trace.run(gradientSums(channels, over), {
    reads: { x, dy, ...channels },
    writes: { part },
    dims: { ...along.dims, eps },
    workgroups: along.workgroups,
    flops: FLOPS.gradientSums * 4 * x.quads,
  });
  const { part: last, dims, workgroups } = addPartialSums(trace, addTwoSums, part, runs);
  const writes = {
    dweight: trace.tensor("batch norm dweight", shape),
    dbias: trace.tensor("batch norm dbias", shape),
  };
  trace.run(parameterGradients(channels)(reductionPresets.of(trace.gpu).shares), {
    reads: { part: last, ...channels },
    writes,
    dims: { ...dims, eps },
    workgroups,
  });
  return writes;
}
