import * as tf from "@tensorflow/tfjs-core";
import type { InvertedTask, ResidualTask, StepTask } from "../work.ts";
import { imagesOf, invertedBlocks, oneHotOf, residualBlocks } from "./network.ts";
import { Layers } from "./tfjs_layers.ts";

/** From images to the values whose means are the features. */
type Body = (images: tf.Tensor4D) => tf.Tensor4D;

function residual(task: ResidualTask, layers: Layers): Body {
  const stem = layers.convolution(3, 3, task.widths[0]);
  const blocks = residualBlocks(task).map(({ in: inputs, out, stride }) => ({
    first: layers.convolution(3, inputs, out, { stride }),
    second: layers.convolution(3, out, out),
    shortcut: stride === 1 ? undefined : layers.convolution(1, inputs, out),
  }));
  return (images) => {
    let x: tf.Tensor4D = tf.relu(layers.convolve(stem, images));
    for (const { first, second, shortcut } of blocks) {
      const y = layers.convolve(second, tf.relu(layers.convolve(first, x)));
      const through = shortcut ? layers.convolve(shortcut, tf.avgPool(x, 2, 2, "valid")) : x;
      x = tf.relu(tf.add<tf.Tensor4D>(y, through));
    }
    return x;
  };
}

function inverted(task: InvertedTask, layers: Layers): Body {
  const all = invertedBlocks(task);
  const stem = layers.convolution(3, 3, task.stemWidth, { stride: 2 });
  const blocks = all.map(({ in: inputs, inner, out, stride }) => ({
    expand: inner === inputs ? undefined : layers.convolution(1, inputs, inner),
    depthwise: layers.convolution(3, inner, inner, { stride, depthwise: true }),
    project: layers.convolution(1, inner, out),
    adds: stride === 1 && inputs === out,
  }));
  const head = layers.convolution(1, all[all.length - 1].out, task.headWidth);
  return (images) => {
    let x: tf.Tensor4D = tf.relu6(layers.convolve(stem, images));
    for (const { expand, depthwise, project, adds } of blocks) {
      const wide = expand ? tf.relu6(layers.convolve(expand, x)) : x;
      const y = layers.convolve(project, tf.relu6(layers.convolve(depthwise, wide)));
      x = adds ? tf.add<tf.Tensor4D>(y, x) : y;
    }
    return tf.relu6(layers.convolve(head, x));
  };
}

/** A training step; each call runs one and gives its loss. */
export function step(task: StepTask): () => tf.Tensor {
  const layers = new Layers();
  const isResidual = task.blocks === "residual";
  const body = isResidual ? residual(task, layers) : inverted(task, layers);
  const features = isResidual ? task.widths[task.widths.length - 1] : task.headWidth;
  const classifier = layers.classifier(features, task.classes);
  const images = tf.tensor4d(imagesOf(task), [task.batch, task.size, task.size, 3]);
  const targets = tf.tensor2d(oneHotOf(task), [task.batch, task.classes]);
  const optimizer = tf.train.momentum(task.lr, task.momentum);
  const lossOf = (): tf.Scalar => {
    const logits = classifier(tf.mean<tf.Tensor2D>(body(images), [1, 2]));
    return tf.losses.softmaxCrossEntropy<tf.Tensor2D, tf.Scalar>(targets, logits);
  };
  return () => {
    const loss = optimizer.minimize(lossOf, true, layers.learned);
    layers.blend();
    if (!loss) throw new TypeError("Cannot time a step without a loss");
    return loss;
  };
}
