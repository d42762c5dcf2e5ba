import { recordStatistics } from "./batch_statistics.ts";
import { CHANNEL_QUADS } from "../gpu/kernel.ts";
import { type BatchNormAttributes, recordGradients, recordNormalized } from "./normalize.ts";
import { valueOver } from "./norm_activation.ts";
import type { Case, Context, Input, Op, Values } from "../op.ts";
import { elements, type Tensor } from "../gpu/tensor.ts";

export type { BatchNormAttributes } from "./normalize.ts";

/** Attributes of a batch norm in training. */
export interface BatchNormTrainingAttributes extends BatchNormAttributes {
  /** The weight of the batch in the running statistics, from 0 to 1. */
  readonly momentum: number;
}

function checkShapes(
  name: string,
  { eps, relu, activation }: BatchNormAttributes,
  { x, residual }: { x: Tensor | Values; residual?: Tensor | Values },
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
  if (residual && String(residual.shape) !== String(x.shape)) {
    throw new TypeError(
      `Cannot apply ${name}: the input has shape [${x.shape}] and the residual ` +
        `[${residual.shape}]; they must be equal`,
    );
  }
  if (channels > CHANNEL_QUADS * 4) {
    throw new RangeError(
      `Cannot apply ${name}: wanted at most ${CHANNEL_QUADS * 4} channels, found ${channels}`,
    );
  }
  if (activation && (relu || residual)) {
    throw new TypeError(
      `Cannot apply ${name}: wanted ${activation} without ${
        relu ? "relu" : "a residual"
      }, found both`,
    );
  }
  if (!(eps > 0)) throw new RangeError(`Cannot apply ${name}: wanted an eps above 0, found ${eps}`);
}

/**
 * The channels of the gradient kernels: with a residual, dy comes with zeros where ReLU has cut y
 * off.
 */
function passed<A extends BatchNormAttributes>(context: Context<A>): Context<A> {
  const { inputs: [, , , , , residual], attributes } = context;
  return residual ? { ...context, attributes: { ...attributes, relu: false } } : context;
}

function reference(
  x: Values,
  [weight, bias, mean, variance]: readonly Float64Array[],
  { eps, ...over }: BatchNormAttributes,
  residual?: Values,
): Values {
  const data = x.data.map((v, i) => {
    const c = i % weight.length;
    const y = (v - mean[c]) / Math.sqrt(variance[c] + eps) * weight[c] + bias[c];
    return valueOver(over, y + (residual?.data[i] ?? 0));
  });
  return { shape: x.shape, data };
}

/** Mean over all but the last dimension. */
function channelMeans({ data }: Values, channels: number): Float64Array {
  const means = new Float64Array(channels);
  data.forEach((v, i) => means[i % channels] += v * channels / data.length);
  return means;
}

// Values about one std below and above the mean by turns, and small biases and residuals: results
// keep away from the kink of ReLU.
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
    { ...vector, differentiable: false, sample: (normal) => 0.1 * Math.tanh(normal()) },
    { ...vector, differentiable: false, sample: (normal) => 1 + 0.5 * Math.tanh(normal()) },
  ];
}

interface Drawn {
  readonly residual?: boolean;
  readonly mean?: number;
  readonly std?: number;
}

function on<A extends BatchNormAttributes>(
  shape: readonly number[],
  attributes: A,
  { residual = false, mean = 0, std = 1 }: Drawn = {},
): Case<A> {
  const small: Input = { shape, sample: (normal) => 0.2 * Math.tanh(normal()) };
  return { inputs: [...samples(shape, { mean, std }), ...residual ? [small] : []], attributes };
}

/**
 * `batchNorm(x, weight, bias, runningMean, runningVariance, residual?)` in training, over all but
 * the last dimension: `(x - mean) / sqrt(variance + eps) * weight + bias`, plus the residual if
 * there is one, and `max(·, 0)` or another activation over it, as `relu` and `activation` say. The running statistics move towards
 * those of the batch, in place: `(1 - momentum) * running + momentum * batch`, with the unbiased
 * variance `variance * count / (count - 1)`, as in PyTorch.
 *
 * Outputs: the result, the running statistics, the batch's biased variance, and two vectors whose
 * sum is its exact mean.
 */
export const batchNorm: Op<BatchNormTrainingAttributes> = {
  name: "batch norm",
  forward: (trace, [x, weight, bias, runningMean, runningVariance, residual], attributes) => {
    const { momentum } = attributes;
    checkShapes("batch norm", attributes, { x, residual }, {
      weight,
      bias,
      runningMean,
      runningVariance,
    });
    if (!(momentum >= 0 && momentum <= 1)) {
      throw new RangeError(
        `Cannot apply batch norm: wanted a momentum from 0 to 1, found ${momentum}`,
      );
    }
    if (elements(x.shape) === x.shape.at(-1)) {
      throw new RangeError(
        `Cannot apply batch norm: a variance takes 2 values per channel or more, found 1 in ` +
          `[${x.shape}]; use a larger batch or image`,
      );
    }
    const running = { mean: runningMean, variance: runningVariance, momentum };
    const { variance, center, rest } = recordStatistics(trace, x, running);
    const channels = { center, rest, variance, weight, bias };
    const y = recordNormalized(trace, { x, residual }, channels, attributes);
    return [y, runningMean, runningVariance, variance, center, rest];
  },
  rectified: ({ relu }, [, , , , , residual]) => relu && residual !== undefined,
  vjp: (trace, context, dy) => {
    const [, weight, bias, , , residual] = context.inputs;
    const [, , , variance, center, rest] = context.outputs;
    const channels = { center, rest, variance, weight, bias };
    return [
      ...recordGradients(trace, passed(context), channels, dy),
      null,
      null,
      ...residual ? [dy] : [],
    ];
  },
  reference: ([x, weight, bias, runningMean, runningVariance, residual], attributes) => {
    const { shape } = weight;
    const { momentum } = attributes;
    const mean = channelMeans(x, shape[0]);
    const squares = x.data.map((v, i) => (v - mean[i % shape[0]]) ** 2);
    const variance = channelMeans({ shape: x.shape, data: squares }, shape[0]);
    const count = x.data.length / shape[0];
    const moved = (running: Values, batch: Float64Array, factor: number): Values => ({
      shape,
      data: running.data.map((v, c) => (1 - momentum) * v + momentum * factor * batch[c]),
    });
    return [
      reference(x, [weight.data, bias.data, mean, variance], attributes, residual),
      moved(runningMean, mean, 1),
      moved(runningVariance, variance, count / (count - 1)),
      { shape, data: variance },
    ];
  },
  cases: [
    on([3, 1, 1, 1], { eps: 1e-5, relu: false, momentum: 0.1 }),
    on([1, 3, 7, 3], { eps: 1e-5, relu: true, momentum: 1 }),
    on([5, 13, 1, 5], { eps: 1e-3, relu: true, momentum: 0 }, { residual: true }),
    on([3, 7, 9, 17], { eps: 1e-5, relu: false, momentum: 0.1 }, { residual: true }),
    on([2, 11, 13, 20], { eps: 1e-5, relu: true, momentum: 0.5 }),
    on([63, 65], { eps: 1e-5, relu: true, momentum: 0.1 }),
    on([2, 64, 65, 3], { eps: 1e-5, relu: true, momentum: 0.01 }, { residual: true }),
    on([1, 23, 29, 5], { eps: 1e-5, relu: true, momentum: 0.1 }, { mean: 100, std: 0.1 }),
    on([4, 131, 127, 2], { eps: 1e-5, relu: false, momentum: 0.1 }, { mean: 100, std: 0.1 }),
    on([2, 11, 13, 20], { eps: 1e-5, relu: false, activation: "relu6", momentum: 0.5 }),
    on([3, 5, 7, 3], { eps: 1e-5, relu: false, activation: "silu", momentum: 0.1 }),
    on([2, 9, 11, 6], { eps: 1e-5, relu: false, activation: "hardSwish", momentum: 0.1 }),
    // The mean lies between two float32.
    on([1, 3, 3, 4], { eps: 1e-5, relu: false, momentum: 0.1 }, { mean: 1000001, std: 0.5 }),
  ],
};

/**
 * `batchNormEval(x, weight, bias, runningMean, runningVariance, residual?)`: a batch norm by given
 * statistics.
 */
export const batchNormEval: Op<BatchNormAttributes> = {
  name: "batch norm eval",
  forward: (trace, [x, weight, bias, runningMean, runningVariance, residual], attributes) => {
    const vectors = { weight, bias, runningMean, runningVariance };
    checkShapes("batch norm eval", attributes, { x, residual }, vectors);
    const channels = { center: runningMean, variance: runningVariance, weight, bias };
    return [recordNormalized(trace, { x, residual }, channels, attributes)];
  },
  rectified: ({ relu }, [, , , , , residual]) => relu && residual !== undefined,
  vjp: (trace, context, dy) => {
    const [, weight, bias, center, variance, residual] = context.inputs;
    const channels = { center, variance, weight, bias };
    return [
      ...recordGradients(trace, passed(context), channels, dy),
      null,
      null,
      ...residual ? [dy] : [],
    ];
  },
  reference: ([x, weight, bias, mean, variance, residual], attributes) => [
    reference(x, [weight, bias, mean, variance].map(({ data }) => data), attributes, residual),
  ],
  cases: [
    on([1, 1, 1, 1], { eps: 1e-5, relu: false }),
    on([2, 3, 7, 3], { eps: 1e-5, relu: true }),
    on([3, 13, 5, 17], { eps: 1e-3, relu: false }, { residual: true }),
    on([1, 11, 65, 20], { eps: 1e-5, relu: true }, { residual: true }),
    on([65, 5], { eps: 1e-5, relu: true }),
    on([2, 3, 7, 5], { eps: 1e-5, relu: false, activation: "silu" }),
  ],
};
