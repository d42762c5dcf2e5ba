import { LANES } from "./elementwise.ts";
import { defineKernel } from "./kernel.ts";
import type { Input, Op, Values } from "./op.ts";
import type { Tensor } from "./tensor.ts";

/** Attributes of the update of running statistics. */
export interface RunningStatisticsAttributes {
  /** The weight of the batch, from 0 to 1. */
  readonly momentum: number;
  /** Values per channel in the batch: batch · height · width. */
  readonly count: number;
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
