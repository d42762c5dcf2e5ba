import { recordStatistics } from "./batch_statistics.ts";
import { CHANNEL_QUADS } from "./kernel.ts";
import { type BatchNormAttributes, recordGradients, recordNormalized } from "./normalization.ts";
import type { Case, Input, Op, Values } from "./op.ts";
import { elements, type Tensor } from "./tensor.ts";

export type { BatchNormAttributes } from "./normalization.ts";

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

// Values about one std below and above the mean by turns, and small biases: results keep away from
// the kink of ReLU.
function samples(shape: readonly number[], { mean, std }: { mean: number; std: number }): Input[] {
  const channels = shape.at(-1) ?? 1;
  const vector = { shape: [channels] };
  return [
    {
      shape,
      sample: (normal, i) =>
        mean + std * (Math.floor(i / channels) % 2 * 2 - 1) * (1 + 0.3 * Math.tanh(normal())),
    },
    { ...vector, sample: (normal) => (normal() < 0 ? -1 : 1) * (0.5 + Math.abs(normal())) },
    { ...vector, sample: (normal) => 0.1 * Math.tanh(normal()) },
  ];
}

function on(
  shape: readonly number[],
  attributes: BatchNormAttributes,
  distribution = { mean: 0.5, std: 1 },
): Case<BatchNormAttributes> {
  return { inputs: samples(shape, distribution), attributes };
}

function onGiven(
  shape: readonly number[],
  attributes: BatchNormAttributes,
): Case<BatchNormAttributes> {
  const vector = { shape: shape.slice(-1), differentiable: false };
  return {
    inputs: [
      ...samples(shape, { mean: 0, std: 1 }),
      { ...vector, sample: (normal) => 0.1 * Math.tanh(normal()) },
      { ...vector, sample: (normal) => 1 + 0.5 * Math.tanh(normal()) },
    ],
    attributes,
  };
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
    if (elements(x.shape) === x.shape.at(-1)) {
      throw new RangeError(
        `Cannot apply batch norm: a variance takes 2 values per channel or more, found 1 in ` +
          `[${x.shape}]; use a larger batch`,
      );
    }
    const { mean, variance, center, rest } = recordStatistics(trace, x);
    const y = recordNormalized(
      trace,
      x,
      { center, rest, variance, weight, bias },
      attributes,
    );
    return [y, mean, variance, center, rest];
  },
  vjp: (trace, context, dy) => {
    const [, weight, bias] = context.inputs;
    const [, , variance, center, rest] = context.outputs;
    return recordGradients(trace, context, { center, rest, variance, weight, bias }, dy);
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
    return [recordNormalized(trace, x, channels, attributes)];
  },
  vjp: (trace, context, dy) => {
    const [, weight, bias, center, variance] = context.inputs;
    return [...recordGradients(trace, context, { center, variance, weight, bias }, dy), null, null];
  },
  reference: ([x, ...vectors], attributes) => [
    reference(x, vectors.map(({ data }) => data), attributes),
  ],
  cases: [
    onGiven([1, 1, 1, 1], { eps: 1e-5, relu: false }),
    onGiven([2, 3, 7, 3], { eps: 1e-5, relu: true }),
    onGiven([3, 13, 5, 17], { eps: 1e-3, relu: false }),
    onGiven([1, 11, 65, 20], { eps: 1e-5, relu: true }),
    onGiven([65, 5], { eps: 1e-5, relu: true }),
  ],
};
