import * as tf from "@tensorflow/tfjs-core";
import { weights } from "../work.ts";
import { EPS, STATISTICS_MOMENTUM } from "./network.ts";

interface Norm {
  readonly scale: tf.Variable<tf.Rank.R1>;
  readonly shift: tf.Variable<tf.Rank.R1>;
  readonly mean: tf.Variable<tf.Rank.R1>;
  readonly variance: tf.Variable<tf.Rank.R1>;
}

/** A convolution with its norm. */
export interface Convolution {
  readonly filter: tf.Variable<tf.Rank.R4>;
  readonly norm: Norm;
  readonly stride: number;
  readonly depthwise: boolean;
}

/** How a convolution differs from one with stride 1 over all channels. */
export interface Form {
  readonly stride?: number;
  /** Whether each channel has a filter of its own. */
  readonly depthwise?: boolean;
}

/** The parameters of a network, in order, and what a step keeps of its norms. */
export class Layers {
  readonly learned: tf.Variable[] = [];
  readonly #batches: { norm: Norm; mean: tf.Tensor; variance: tf.Tensor }[] = [];
  #index = 0;

  #variable<R extends tf.Rank>(initial: tf.Tensor<R>): tf.Variable<R> {
    const made = tf.variable(initial);
    this.learned.push(made);
    return made;
  }

  convolution(kernel: number, inputs: number, out: number, form: Form = {}): Convolution {
    const { stride = 1, depthwise = false } = form;
    const drawn = weights([kernel, kernel, depthwise ? 1 : inputs, out], this.#index++);
    // One filter for each channel lies in memory as [.., 1, out] and [.., in, 1] alike.
    const filter = this.#variable(
      tf.tensor4d(drawn, [kernel, kernel, inputs, depthwise ? 1 : out]),
    );
    const norm: Norm = {
      scale: this.#variable(tf.ones<tf.Rank.R1>([out])),
      shift: this.#variable(tf.zeros<tf.Rank.R1>([out])),
      mean: tf.variable(tf.zeros<tf.Rank.R1>([out]), false),
      variance: tf.variable(tf.ones<tf.Rank.R1>([out]), false),
    };
    return { filter, norm, stride, depthwise };
  }

  /** What makes logits of features. */
  classifier(features: number, classes: number): (x: tf.Tensor2D) => tf.Tensor2D {
    const shape: [number, number] = [features, classes];
    const weight = this.#variable(tf.tensor2d(weights(shape, this.#index), shape));
    const bias = this.#variable(tf.zeros<tf.Rank.R1>([classes]));
    return (x) => tf.add(tf.matMul(x, weight), bias);
  }

  /** Convolution and batch norm; keeps the batch's mean and unbiased variance. */
  convolve({ filter, norm, stride, depthwise }: Convolution, x: tf.Tensor4D): tf.Tensor4D {
    const apply = depthwise ? tf.depthwiseConv2d : tf.conv2d;
    const y = apply(x, filter, stride, filter.shape[0] >> 1);
    const moments = tf.moments(y, [0, 1, 2]);
    const mean = tf.reshape<tf.Rank.R1>(moments.mean, [-1]);
    const variance = tf.reshape<tf.Rank.R1>(moments.variance, [-1]);
    const count = y.size / y.shape[3];
    this.#batches.push({
      norm,
      mean: tf.keep(mean.clone()),
      variance: tf.keep(tf.mul(variance, count / (count - 1))),
    });
    return tf.batchNorm4d(y, mean, variance, norm.shift, norm.scale, EPS);
  }

  /** Blends what norms have kept of a batch into their running statistics. */
  blend(): void {
    for (const { norm, mean, variance } of this.#batches.splice(0)) {
      blend(norm.mean, mean);
      blend(norm.variance, variance);
      tf.dispose([mean, variance]);
    }
  }
}

function blend(running: tf.Variable, found: tf.Tensor): void {
  tf.tidy(() => {
    const kept = tf.mul(running, 1 - STATISTICS_MOMENTUM);
    running.assign(tf.add(kept, tf.mul(found, STATISTICS_MOMENTUM)));
  });
}
