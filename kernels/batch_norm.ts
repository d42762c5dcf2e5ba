import { elementwise, LANES, RELU, spread } from "./elementwise.ts";
import { CHANNEL_QUADS, defineKernel, type Kernel, type Read } from "./kernel.ts";
import type { Case, Context, Gradient, Input, Op, PendingGradient, Values } from "./op.ts";
import { quads, type Tensor } from "./tensor.ts";
import type { Trace } from "./trace.ts";

/** Attributes of a batch norm. */
export interface BatchNormAttributes {
  /** Added to the variance. */
  readonly eps: number;
  /** Whether `max(·, 0)` is applied to the result. */
  readonly relu: boolean;
}

/** Attributes of the update of running statistics. */
export interface RunningStatisticsAttributes {
  /** The weight of the batch, from 0 to 1. */
  readonly momentum: number;
  /** Values per channel in the batch: batch · height · width. */
  readonly count: number;
}

/** A tensor of `pixels` rows cut into `parts` runs of `chunk` rows; the last may be shorter. */
interface Runs {
  readonly pixels: number;
  readonly chunk: number;
  readonly parts: number;
}

const RUN_DIMS = { pixels: "u32", chunk: "u32", parts: "u32", channel_quads: "u32" } as const;

function cut(trace: Trace, x: Tensor): Runs {
  const pixels = x.quads / channelQuads(x);
  const invocations = Math.max(512, trace.gpu.preset.invocations);
  const chunk = Math.min(256, Math.max(32, Math.ceil(x.quads / invocations)));
  return { pixels, chunk, parts: Math.ceil(pixels / chunk) };
}

function channelQuads(x: Tensor): number {
  return quads(x.shape.at(-1) ?? 1);
}

/**
 * Moments of one run of pixels per invocation, four pixels at a time (Chan et al.): with the first
 * pixel as `center`, the mean is `center + rest`, and the squared distances from it add up to m2.
 * Nothing cancels, however far the mean is from 0. part: `[center, rest, m2][parts][channels]`.
 */
const moments = defineKernel({
  name: "batch norm moments",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { part: "bulk" },
  dims: RUN_DIMS,
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let stride = dims.channel_quads;
  let run = i / stride;
  if (run >= dims.parts) { return; }
  let c = i - run * stride;
  let first = run * dims.chunk;
  let end = min(first + dims.chunk, dims.pixels);
  let center = x(first * stride + c);
  var count = 0.0;
  var rest = vec4f();
  var m2 = vec4f();
  for (var p = first; p < end; p += 4u) {
    let at = p * stride + c;
    let d0 = x(at) - center;
    let d1 = select(vec4f(), x(at + stride) - center, p + 1u < end);
    let d2 = select(vec4f(), x(at + 2u * stride) - center, p + 2u < end);
    let d3 = select(vec4f(), x(at + 3u * stride) - center, p + 3u < end);
    let n = min(f32(end - p), 4.0);
    let mean = ((d0 + d1) + (d2 + d3)) * (1.0 / n);
    let e0 = d0 - mean;
    let e1 = select(vec4f(), d1 - mean, p + 1u < end);
    let e2 = select(vec4f(), d2 - mean, p + 2u < end);
    let e3 = select(vec4f(), d3 - mean, p + 3u < end);
    let gap = mean - rest;
    let share = n / (count + n);
    m2 += fma(e0, e0, fma(e1, e1, fma(e2, e2, fma(e3, e3, gap * gap * (count * share)))));
    rest += gap * share;
    count += n;
  }
  let plane = dims.parts * stride;
  set_part(i, center);
  set_part(i + plane, rest);
  set_part(i + 2u * plane, m2);
}`,
});

const JOIN_DIMS = { ...RUN_DIMS, fan: "u32" } as const;

/** A kernel that joins `fan` neighbouring runs, first to end, of one vec4 of channels each. */
function joining<const W extends string>(
  name: string,
  writes: Record<W, "bulk">,
  { reads = {}, dims = {}, wgsl }: Pick<Partial<Kernel>, "reads" | "dims"> & { wgsl: string },
): Kernel<string, W, string> {
  return defineKernel({
    name,
    workgroupSize: LANES,
    reads: { part: "bulk", ...reads },
    writes,
    dims: { ...JOIN_DIMS, ...dims },
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let joined = i / dims.channel_quads;
  let c = i - joined * dims.channel_quads;
  let first = joined * dims.fan;
  if (first >= dims.parts) { return; }
  let end = min(first + dims.fan, dims.parts);
  let plane = dims.parts * dims.channel_quads;
  let out_plane = ((dims.parts + dims.fan - 1u) / dims.fan) * dims.channel_quads;
  ${wgsl}
}`,
  });
}

const JOIN_MOMENTS = /* wgsl */ `
  let count = f32(min(end * dims.chunk, dims.pixels) - first * dims.chunk);
  var sum = vec4f();
  for (var p = first; p < end; p++) {
    let n = f32(min(dims.chunk, dims.pixels - p * dims.chunk));
    let at = p * dims.channel_quads + c;
    sum += n * (part(at) + part(at + plane));
  }
  // The mean is center + rest: what center loses to rounding is found again from differences.
  let center = sum / count;
  sum = vec4f();
  var m2 = vec4f();
  for (var p = first; p < end; p++) {
    let n = f32(min(dims.chunk, dims.pixels - p * dims.chunk));
    let at = p * dims.channel_quads + c;
    let gap = (part(at) - center) + part(at + plane);
    sum = fma(vec4f(n), gap, sum);
    m2 += fma(n * gap, gap, part(at + 2u * plane));
  }
  let rest = sum / count;
  m2 = max(m2 - sum * rest, vec4f());`;

const joinMoments = joining("batch norm moments, joined", { joined_part: "bulk" }, {
  wgsl: `${JOIN_MOMENTS}
  set_joined_part(i, center);
  set_joined_part(i + out_plane, rest);
  set_joined_part(i + 2u * out_plane, m2);`,
});

const statistics = joining(
  "batch norm statistics",
  { mean: "bulk", variance: "bulk", center: "bulk", rest: "bulk" },
  {
    wgsl: `${JOIN_MOMENTS}
  set_mean(i, center + rest);
  set_variance(i, m2 / count);
  set_center(i, center);
  set_rest(i, rest);`,
  },
);

const JOIN_SUMS = /* wgsl */ `
  var sum = vec4f();
  var moment = vec4f();
  for (var p = first; p < end; p++) {
    let at = p * dims.channel_quads + c;
    sum += part(at);
    moment += part(at + plane);
  }`;

const joinSums = joining("batch norm sums, joined", { joined_part: "bulk" }, {
  wgsl: `${JOIN_SUMS}
  set_joined_part(i, sum);
  set_joined_part(i + out_plane, moment);`,
});

/** Joins runs until few enough are left for one invocation per vec4 of channels to join. */
function join(
  trace: Trace,
  kernel: Kernel<string, "joined_part", string>,
  part: Tensor,
  runs: Runs,
): { part: Tensor; dims: Record<keyof typeof JOIN_DIMS, number>; workgroups: number } {
  const most = trace.gpu.preset.name === "software" ? 256 : 64;
  const channel_quads = channelQuads(part);
  const { pixels, chunk, parts } = runs;
  if (parts <= most) {
    const dims = { pixels, chunk, parts, channel_quads, fan: parts };
    return { part, dims, workgroups: Math.ceil(channel_quads / LANES) };
  }
  const fan = Math.min(most, Math.ceil(Math.sqrt(parts)));
  const fewer = Math.ceil(parts / fan);
  const [planes, , channels] = part.shape;
  const joined = trace.tensor(`${part.name}, joined`, [planes, fewer, channels]);
  trace.run(kernel, {
    reads: { part },
    writes: { joined_part: joined },
    dims: { pixels, chunk, parts, channel_quads, fan },
    workgroups: Math.ceil(fewer * channel_quads / LANES),
  });
  return join(trace, kernel, joined, { pixels, chunk: chunk * fan, parts: fewer });
}

/** What channels are normalized by, given statistics. */
type Given = Readonly<Record<"center" | "variance" | "weight" | "bias", Tensor>>;

/** What channels are normalized by; the mean of a batch is center + rest. */
type Channels = Given | Given & { readonly rest: Tensor };

/** y = d · scale + shift with d = x - center, which is exact where the mean is far from 0. */
function coefficients(channels: Channels): string {
  return /* wgsl */ `
  let middle = center(c);
  let inverse = inverseSqrt(variance(c) + dims.eps);
  let scale = weight(c) * inverse;
  let shift = bias(c)${"rest" in channels ? " - rest(c) * scale" : ""};`;
}

/** The kinds of per-channel operands, by name. */
function channelReads(channels: Channels): Record<string, "channel"> {
  return Object.fromEntries(Object.keys(channels).map((name) => [name, "channel"]));
}

const EPS = { eps: "f32" } as const;

function normalize(channels: Channels, relu: boolean): Kernel<string, "y", string> {
  const value = (at: string): string => `fma(x(${at}) - middle, scale, shift)`;
  return elementwise<string, string>({
    name: `batch norm${relu ? " and relu" : ""}`,
    reads: { x: "bulk", ...channelReads(channels) },
    dims: EPS,
    functions: RELU,
    once: coefficients(channels),
    value: (at) => relu ? `relu(${value(at)})` : value(at),
  });
}

// g is dy, cut off where relu has cut y off: y is computed again, which costs less than loading it.
const GATED = (relu: boolean): string =>
  /* wgsl */ `${RELU}
fn gated(d: vec4f, scale: vec4f, shift: vec4f, dy: vec4f) -> vec4f {
  return ${relu ? "relu_gradient(fma(d, scale, shift), dy)" : "dy"};
}`;

/** part: `[Σ g, Σ g·(x - center)][parts][channels]`, one run of pixels per invocation. */
function gradientSums(channels: Channels, relu: boolean): Kernel<string, "part", string> {
  const term = (k: number): string => `
    let d${k} = x(at + ${k}u * stride) - middle;
    let g${k} = select(vec4f(), gated(d${k}, scale, shift, dy(at + ${k}u * stride)), p + ${k}u < end);
    sum += g${k};
    moment = fma(g${k}, d${k}, moment);`;
  return defineKernel<string, "part", string>({
    name: `batch norm gradient sums${relu ? " and relu" : ""}`,
    workgroupSize: LANES,
    reads: { x: "bulk", dy: "bulk", ...channelReads(channels) },
    writes: { part: "bulk" },
    dims: { ...RUN_DIMS, ...EPS },
    wgsl: /* wgsl */ `
${GATED(relu)}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let stride = dims.channel_quads;
  let run = i / stride;
  if (run >= dims.parts) { return; }
  let c = i - run * stride;
  ${coefficients(channels)}
  let end = min((run + 1u) * dims.chunk, dims.pixels);
  var sum = vec4f();
  var moment = vec4f();
  for (var p = run * dims.chunk; p < end; p += 4u) {
    let at = p * stride + c;
    ${[0, 1, 2, 3].map(term).join("")}
  }
  set_part(i, sum);
  set_part(i + dims.parts * stride, moment);
}`,
  });
}

// With x' = (x - center - rest) / std: dbias = Σ g, dweight = Σ g·x'.
function parameterGradients(channels: Channels): Kernel<string, "dweight" | "dbias", string> {
  return joining("batch norm parameter gradients", { dweight: "bulk", dbias: "bulk" }, {
    reads: channelReads(channels),
    dims: EPS,
    wgsl: `${JOIN_SUMS}
  let inverse = inverseSqrt(variance(c) + dims.eps);
  set_dweight(i, (moment${"rest" in channels ? " - rest(c) * sum" : ""}) * inverse);
  set_dbias(i, sum);`,
  });
}

/**
 * dx = scale·(g - mean(g) - x'·mean(g·x')), as the batch statistics depend on x as well; running
 * statistics do not, and leave scale·g.
 */
function inputGradient(channels: Channels, relu: boolean): Kernel<string, "y", string> {
  const depends = "rest" in channels;
  const sums: Record<string, Read> = depends ? { dweight: "channel", dbias: "channel" } : {};
  const g = (at: string): string => `gated(x(${at}) - middle, scale, shift, dy(${at}))`;
  return elementwise<string, string>({
    name: `batch norm input gradient${relu ? " and relu" : ""}`,
    reads: { x: "bulk", dy: "bulk", ...channelReads(channels), ...sums },
    dims: { ...EPS, pixels: "f32" },
    functions: `${GATED(relu)}
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

function store(accumulate: boolean): Kernel<"sums", "into", "words"> {
  return defineKernel({
    name: `batch norm gradient${accumulate ? ", added" : ""}`,
    workgroupSize: LANES,
    reads: { sums: "f32" },
    writes: { into: "f32" },
    dims: { words: "u32" },
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  if (i < dims.words) { into[i] = sums[i]${accumulate ? " + into[i]" : ""}; }
}`,
  });
}

function pending(trace: Trace, sums: Tensor): PendingGradient {
  return {
    complete: true,
    write: (into, accumulate) =>
      trace.run(store(accumulate), {
        reads: { sums },
        writes: { into },
        dims: { words: sums.words },
        workgroups: Math.ceil(sums.words / LANES),
      }),
  };
}

function gradients(
  trace: Trace,
  { inputs: [x], attributes: { eps, relu }, wanted }: Context<BatchNormAttributes>,
  channels: Channels,
  dy: Tensor,
): [Gradient, Gradient, Gradient] {
  const shape = channels.weight.shape;
  const dweight = trace.tensor("dweight", shape);
  const dbias = trace.tensor("dbias", shape);
  if ("rest" in channels || wanted[1] || wanted[2]) {
    const runs = cut(trace, x);
    const part = trace.tensor("batch norm sums", [2, runs.parts, ...shape]);
    trace.run(gradientSums(channels, relu), {
      reads: { x, dy, ...channels },
      writes: { part },
      dims: { ...runs, channel_quads: channelQuads(x), eps },
      workgroups: Math.ceil(runs.parts * channelQuads(x) / LANES),
    });
    const joined = join(trace, joinSums, part, runs);
    trace.run(parameterGradients(channels), {
      reads: { part: joined.part, ...channels },
      writes: { dweight, dbias },
      dims: { ...joined.dims, eps },
      workgroups: joined.workgroups,
    });
  }
  let dx: Tensor | null = null;
  if (wanted[0]) {
    dx = trace.tensor("dx", x.shape);
    const { dims, workgroups } = spread(x);
    trace.run(inputGradient(channels, relu), {
      reads: { x, dy, ...channels, ...("rest" in channels ? { dweight, dbias } : {}) },
      writes: { y: dx },
      dims: { ...dims, eps, pixels: x.quads / channelQuads(x) },
      workgroups,
    });
  }
  return [dx, pending(trace, dweight), pending(trace, dbias)];
}

function checkShapes(
  name: string,
  { eps }: BatchNormAttributes,
  x: Tensor | Values,
  vectors: Record<string, Tensor | Values>,
): void {
  const channels = x.shape.at(-1) ?? 0;
  for (const [vector, { shape }] of Object.entries(vectors)) {
    if (shape.length !== 1 || shape[0] !== channels) {
      throw new TypeError(
        `Cannot apply ${name}: the input has shape [${x.shape}] and ${vector} [${shape}]; ` +
          `wanted ${vector} [${channels}]`,
      );
    }
  }
  if (channels > CHANNEL_QUADS * 4) {
    throw new RangeError(
      `Cannot apply ${name}: wanted at most ${CHANNEL_QUADS * 4} channels, found ${channels}`,
    );
  }
  if (!(eps > 0)) throw new RangeError(`Cannot apply ${name}: wanted an eps above 0, found ${eps}`);
}

function forward(
  trace: Trace,
  x: Tensor,
  channels: Channels,
  { eps, relu }: BatchNormAttributes,
): Tensor {
  const y = trace.tensor("batch norm", x.shape);
  const { dims, workgroups } = spread(x);
  trace.run(normalize(channels, relu), {
    reads: { x, ...channels },
    writes: { y },
    dims: { ...dims, eps },
    workgroups,
  });
  return y;
}

function reference(
  x: Values,
  [weight, bias, mean, variance]: readonly Float64Array[],
  { eps, relu }: BatchNormAttributes,
): Values {
  const data = x.data.map((v, i) => {
    const c = i % weight.length;
    const y = (v - mean[c]) / Math.sqrt(variance[c] + eps) * weight[c] + bias[c];
    return relu ? Math.max(y, 0) : y;
  });
  return { shape: x.shape, data };
}

/** Mean over all but the last dimension. */
function channelMeans({ data }: Values, channels: number): Float64Array {
  const means = new Float64Array(channels);
  data.forEach((v, i) => means[i % channels] += v * channels / data.length);
  return means;
}

// Values near -1 and 1 by turns, and small biases: results keep away from the kink of ReLU.
function samples(shape: readonly number[], { mean = 0.5, std = 1 } = {}): Input[] {
  const channels = shape.at(-1) ?? 1;
  const vector = { shape: [channels] };
  return [
    {
      shape,
      sample: (normal, i) =>
        mean + std * (Math.floor(i / channels) % 2 * 2 - 1) * (1 + 0.3 * Math.tanh(normal())),
    },
    { ...vector, sample: (normal) => (normal() < 0 ? -1 : 1) * (0.5 + Math.abs(normal())) },
    { ...vector, sample: (normal) => 0.2 * Math.tanh(normal()) },
  ];
}

function on(
  shape: readonly number[],
  attributes: BatchNormAttributes,
  scale?: { mean: number; std: number },
): Case<BatchNormAttributes> {
  return { inputs: samples(shape, scale), attributes };
}

/**
 * `batchNorm(x, weight, bias)` in training, over all but the last dimension:
 * `(x - mean) / sqrt(variance + eps) * weight + bias`, and `max(·, 0)` over it where `relu` says so.
 * Outputs: the result, the mean, the biased variance, and two vectors whose sum is the exact mean.
 */
export const batchNorm: Op<BatchNormAttributes> = {
  name: "batch norm",
  forward: (trace, [x, weight, bias], attributes) => {
    checkShapes("batch norm", attributes, x, { weight, bias });
    const runs = cut(trace, x);
    if (runs.pixels < 2) {
      throw new RangeError(
        `Cannot apply batch norm: a variance takes 2 values per channel or more, found 1 in ` +
          `[${x.shape}]; use a larger batch`,
      );
    }
    const part = trace.tensor("batch norm moments", [3, runs.parts, ...weight.shape]);
    trace.run(moments, {
      reads: { x },
      writes: { part },
      dims: { ...runs, channel_quads: channelQuads(x) },
      workgroups: Math.ceil(runs.parts * channelQuads(x) / LANES),
    });
    const joined = join(trace, joinMoments, part, runs);
    const vector = (name: string): Tensor => trace.tensor(name, weight.shape);
    const mean = vector("batch mean");
    const variance = vector("batch variance");
    const center = vector("batch center");
    const rest = vector("batch center's rest");
    trace.run(statistics, {
      reads: { part: joined.part },
      writes: { mean, variance, center, rest },
      dims: joined.dims,
      workgroups: joined.workgroups,
    });
    const y = forward(trace, x, { center, rest, variance, weight, bias }, attributes);
    return [y, mean, variance, center, rest];
  },
  vjp: (trace, context, dy) => {
    const [, weight, bias] = context.inputs;
    const [, , variance, center, rest] = context.outputs;
    return gradients(trace, context, { center, rest, variance, weight, bias }, dy);
  },
  reference: ([x, weight, bias], attributes) => {
    const { shape } = weight;
    const mean = channelMeans(x, shape[0]);
    const squares = x.data.map((v, i) => (v - mean[i % shape[0]]) ** 2);
    const variance = channelMeans({ shape: x.shape, data: squares }, shape[0]);
    const y = reference(x, [weight.data, bias.data, mean, variance], attributes);
    return [y, { shape, data: mean }, { shape, data: variance }];
  },
  cases: [
    on([3, 1, 1, 1], { eps: 1e-5, relu: false }),
    on([1, 3, 7, 3], { eps: 1e-5, relu: true }),
    on([5, 13, 1, 5], { eps: 1e-3, relu: true }),
    on([3, 7, 9, 17], { eps: 1e-5, relu: false }),
    on([2, 11, 13, 20], { eps: 1e-5, relu: true }),
    on([63, 65], { eps: 1e-5, relu: true }),
    on([2, 64, 65, 3], { eps: 1e-5, relu: true }),
    on([1, 23, 29, 5], { eps: 1e-5, relu: true }, { mean: 100, std: 0.1 }),
    on([4, 131, 127, 2], { eps: 1e-5, relu: false }, { mean: 100, std: 0.1 }),
  ],
};

/** `batchNormEval(x, weight, bias, runningMean, runningVariance)`: a batch norm by given statistics. */
export const batchNormEval: Op<BatchNormAttributes> = {
  name: "batch norm eval",
  forward: (trace, [x, weight, bias, runningMean, runningVariance], attributes) => {
    checkShapes("batch norm eval", attributes, x, { weight, bias, runningMean, runningVariance });
    const channels = { center: runningMean, variance: runningVariance, weight, bias };
    return [forward(trace, x, channels, attributes)];
  },
  vjp: (trace, context, dy) => {
    const [, weight, bias, center, variance] = context.inputs;
    return [...gradients(trace, context, { center, variance, weight, bias }, dy), null, null];
  },
  reference: ([x, ...vectors], attributes) => [
    reference(x, vectors.map(({ data }) => data), attributes),
  ],
  cases: [
    on([1, 1, 1, 1], { eps: 1e-5, relu: false }),
    on([2, 3, 7, 3], { eps: 1e-5, relu: true }),
    on([3, 13, 5, 17], { eps: 1e-3, relu: false }),
    on([1, 11, 65, 20], { eps: 1e-5, relu: true }),
    on([65, 5], { eps: 1e-5, relu: true }),
  ].map(({ inputs, attributes }) => ({
    inputs: [...inputs, ...runningSamples(inputs[1])],
    attributes,
  })),
};

function runningSamples(vector: Input | readonly number[]): Input[] {
  const shape = "shape" in vector ? vector.shape : vector;
  return [
    { shape, sample: (normal) => 0.1 * Math.tanh(normal()), differentiable: false },
    { shape, sample: (normal) => 0.5 + Math.abs(normal()), differentiable: false },
  ];
}

const track = defineKernel({
  name: "running statistics",
  workgroupSize: LANES,
  reads: { mean: "f32", variance: "f32" },
  writes: { running_mean: "f32", running_variance: "f32" },
  dims: { channels: "u32", momentum: "f32", unbiased: "f32" },
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  if (i >= dims.channels) { return; }
  let keep = 1.0 - dims.momentum;
  running_mean[i] = keep * running_mean[i] + dims.momentum * mean[i];
  running_variance[i] = keep * running_variance[i] + dims.momentum * dims.unbiased * variance[i];
}`,
});

function checkRunning(
  { momentum, count }: RunningStatisticsAttributes,
  vectors: readonly (Tensor | Values)[],
): void {
  const shapes = vectors.map(({ shape }) => `[${shape}]`);
  if (vectors[0].shape.length !== 1 || shapes.some((shape) => shape !== shapes[0])) {
    throw new TypeError(
      `Cannot apply running statistics: the inputs have shapes ${shapes.join(", ")}; ` +
        `they must be equal, with one dimension`,
    );
  }
  if (!(momentum >= 0 && momentum <= 1) || !(count >= 2)) {
    throw new RangeError(
      `Cannot apply running statistics: wanted a momentum from 0 to 1 and a count from 2 on, ` +
        `found ${momentum} and ${count}`,
    );
  }
}

/**
 * `runningStatistics(runningMean, runningVariance, mean, variance)` moves the running statistics
 * towards those of a batch, in place: `(1 - momentum) · running + momentum · batch`, with the
 * unbiased variance `variance · count / (count - 1)`, as in PyTorch.
 */
export const runningStatistics: Op<RunningStatisticsAttributes> = {
  name: "running statistics",
  forward: (trace, inputs, attributes) => {
    checkRunning(attributes, inputs);
    const [runningMean, runningVariance, mean, variance] = inputs;
    const { momentum, count } = attributes;
    const [channels] = mean.shape;
    trace.run(track, {
      reads: { mean, variance },
      writes: { running_mean: runningMean, running_variance: runningVariance },
      dims: { channels, momentum, unbiased: count / (count - 1) },
      workgroups: Math.ceil(channels / LANES),
    });
    return [runningMean, runningVariance];
  },
  vjp: "none",
  reference: (inputs, attributes) => {
    checkRunning(attributes, inputs);
    const [runningMean, runningVariance, mean, variance] = inputs;
    const { momentum, count } = attributes;
    const moved = ({ shape, data }: Values, batch: Values, factor: number): Values => ({
      shape,
      data: data.map((v, c) => (1 - momentum) * v + momentum * factor * batch.data[c]),
    });
    return [
      moved(runningMean, mean, 1),
      moved(runningVariance, variance, count / (count - 1)),
    ];
  },
  cases: [[1, 0.1, 2], [63, 0.1, 65], [65, 0.5, 7], [17, 1, 3], [300, 0.01, 65536]].map((
    [channels, momentum, count],
  ) => {
    const mean: Input = { shape: [channels] };
    const variance: Input = { ...mean, sample: (normal) => 0.5 + Math.abs(normal()) };
    return { inputs: [mean, variance, mean, variance], attributes: { momentum, count } };
  }),
};
