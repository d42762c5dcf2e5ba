import * as tf from "@tensorflow/tfjs-core";
import { type StepTask, weights } from "../work.ts";
import { type Block, blocksOf, EPS, imagesOf, oneHotOf, STATISTICS_MOMENTUM } from "./network.ts";

interface Norm {
  readonly scale: tf.Variable<tf.Rank.R1>;
  readonly shift: tf.Variable<tf.Rank.R1>;
  readonly mean: tf.Variable<tf.Rank.R1>;
  readonly variance: tf.Variable<tf.Rank.R1>;
}

interface Convolution {
  readonly filter: tf.Variable<tf.Rank.R4>;
  readonly norm: Norm;
  readonly stride: number;
}

/** A training step; each call runs one and gives its loss. */
export function step(task: StepTask): () => tf.Tensor {
  const learned: tf.Variable[] = [];
  let index = 0;
  const variable = <R extends tf.Rank>(initial: tf.Tensor<R>): tf.Variable<R> => {
    const made = tf.variable(initial);
    learned.push(made);
    return made;
  };
  const convolution = (kernel: number, inputs: number, out: number, stride = 1): Convolution => {
    const shape: [number, number, number, number] = [kernel, kernel, inputs, out];
    const filter = variable(tf.tensor4d(weights(shape, index++), shape));
    const norm: Norm = {
      scale: variable(tf.ones<tf.Rank.R1>([out])),
      shift: variable(tf.zeros<tf.Rank.R1>([out])),
      mean: tf.variable(tf.zeros<tf.Rank.R1>([out]), false),
      variance: tf.variable(tf.ones<tf.Rank.R1>([out]), false),
    };
    return { filter, norm, stride };
  };
  const stem = convolution(3, 3, task.widths[0]);
  const blocks = blocksOf(task).map(({ in: inputs, out, stride }: Block) => ({
    first: convolution(3, inputs, out, stride),
    second: convolution(3, out, out),
    shortcut: stride === 1 ? undefined : convolution(1, inputs, out),
  }));
  const features = task.widths[task.widths.length - 1];
  const weight = variable(
    tf.tensor2d(weights([features, task.classes], index), [features, task.classes]),
  );
  const bias = variable(tf.zeros<tf.Rank.R1>([task.classes]));
  const images = tf.tensor4d(imagesOf(task), [task.batch, task.size, task.size, 3]);
  const targets = tf.tensor2d(oneHotOf(task), [task.batch, task.classes]);
  const optimizer = tf.train.momentum(task.lr, task.momentum);

  const batches: { norm: Norm; mean: tf.Tensor; variance: tf.Tensor }[] = [];
  const convolve = ({ filter, norm, stride }: Convolution, x: tf.Tensor4D): tf.Tensor4D => {
    const y = tf.conv2d(x, filter, stride, filter.shape[0] >> 1);
    const moments = tf.moments(y, [0, 1, 2]);
    const mean = tf.reshape<tf.Rank.R1>(moments.mean, [-1]);
    const variance = tf.reshape<tf.Rank.R1>(moments.variance, [-1]);
    const count = y.size / y.shape[3];
    batches.push({
      norm,
      mean: tf.keep(mean.clone()),
      variance: tf.keep(tf.mul(variance, count / (count - 1))),
    });
    return tf.batchNorm4d(y, mean, variance, norm.shift, norm.scale, EPS);
  };
  const forward = (): tf.Tensor2D => {
    let x: tf.Tensor4D = tf.relu(convolve(stem, images));
    for (const { first, second, shortcut } of blocks) {
      const y = convolve(second, tf.relu(convolve(first, x)));
      const through = shortcut ? convolve(shortcut, tf.avgPool(x, 2, 2, "valid")) : x;
      x = tf.relu(tf.add<tf.Tensor4D>(y, through));
    }
    return tf.add(tf.matMul(tf.mean<tf.Tensor2D>(x, [1, 2]), weight), bias);
  };
  const blend = (running: tf.Variable, found: tf.Tensor): void =>
    tf.tidy(() => {
      const kept = tf.mul(running, 1 - STATISTICS_MOMENTUM);
      running.assign(tf.add(kept, tf.mul(found, STATISTICS_MOMENTUM)));
    });

  return () => {
    const loss = optimizer.minimize(
      () => tf.losses.softmaxCrossEntropy<tf.Tensor2D, tf.Scalar>(targets, forward()),
      true,
      learned,
    );
    for (const { norm, mean, variance } of batches.splice(0)) {
      blend(norm.mean, mean);
      blend(norm.variance, variance);
      tf.dispose([mean, variance]);
    }
    if (!loss) throw new TypeError("Cannot time a step without a loss");
    return loss;
  };
}
