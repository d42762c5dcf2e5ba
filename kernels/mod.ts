import { narrow } from "./ops/narrow.ts";
import { maxPool2d } from "./ops/max_pool2d.ts";
import { gateChannels } from "./ops/gate_channels.ts";
import { gateEachChannel } from "./ops/gate_each_channel.ts";
import { globalAvgPool2d } from "./ops/global_avg_pool2d.ts";
import { batchNorm, batchNormEval } from "./ops/batch_norm.ts";
import { avgPool2d } from "./ops/avg_pool2d.ts";
import { adaptiveAvgPool2d } from "./ops/adaptive_avg_pool2d.ts";
import {
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  relu6,
  sigmoid,
  silu,
} from "./ops/activations.ts";
import { bias } from "./ops/bias.ts";
import { add } from "./ops/add.ts";
import { addLossTerm } from "./ops/add_loss_term.ts";
import { adjoinedLoss } from "./ops/adjoined_loss.ts";
import { augment } from "./ops/augment.ts";
import { mixPictures } from "./ops/mix_pictures.ts";
import { erase } from "./ops/erase.ts";
import { colorJitter } from "./ops/color_jitter.ts";
import { distDivergence } from "./ops/dist_divergence.ts";
import { dkdDivergence } from "./ops/dkd_divergence.ts";
import { klDivergence } from "./ops/kl_divergence.ts";
import { dropout } from "./ops/dropout.ts";
import { dropPath } from "./ops/drop_path.ts";
import { concat } from "./ops/concat.ts";
import { conv2d, maskedConv2d } from "./ops/conv2d.ts";
import { accumulate, countCorrect } from "./ops/counters.ts";
import { crossEntropy } from "./ops/cross_entropy.ts";
import { distillationLoss } from "./ops/distillation_loss.ts";
import { guardStep } from "./ops/guard_step.ts";
import { gumbelNoise } from "./ops/gumbel.ts";
import { gumbelSoftmax } from "./ops/gumbel_softmax.ts";
import { linear } from "./ops/linear.ts";
import { movingAverage } from "./ops/moving_average.ts";
import { normalizePixels } from "./ops/normalize_pixels.ts";
import { multiply } from "./ops/multiply.ts";
import { scaleChannels } from "./ops/scale_channels.ts";
import { scaleLoss } from "./ops/scale_loss.ts";
import { layerNorm } from "./ops/layer_norm.ts";
import type { Op } from "./op.ts";
import { adamw, sgd } from "./ops/optimizers.ts";
import { adaptPenalty, penalty } from "./ops/penalty.ts";
import { quadraticForm } from "./ops/quadratic_form.ts";
import { type Operation, OPERATIONS, randAugment } from "./ops/rand_augment.ts";
import { relu } from "./ops/relu.ts";
import { restore } from "./ops/restore.ts";
import { samplePictures } from "./ops/sample_pictures.ts";
import { select } from "./ops/select.ts";
import { upsample2d } from "./ops/upsample2d.ts";

/** All ops. From their cases follow the parity tests, the gradient tests and the benches. */
export const ops: readonly Op[] = [
  conv2d,
  maskedConv2d,
  batchNorm,
  batchNormEval,
  layerNorm,
  relu,
  relu6,
  leakyRelu,
  sigmoid,
  hardSigmoid,
  silu,
  hardSwish,
  gelu,
  add,
  multiply,
  scaleChannels,
  scaleLoss,
  maxPool2d,
  avgPool2d,
  adaptiveAvgPool2d,
  globalAvgPool2d,
  upsample2d,
  dropout,
  dropPath,
  narrow,
  select,
  concat,
  bias,
  linear,
  crossEntropy,
  adjoinedLoss,
  distillationLoss,
  klDivergence,
  distDivergence,
  dkdDivergence,
  addLossTerm,
  accumulate,
  countCorrect,
  guardStep,
  restore,
  movingAverage,
  sgd,
  adamw,
  augment,
  samplePictures,
  colorJitter,
  randAugment,
  erase,
  mixPictures,
  normalizePixels,
  gumbelNoise,
  gumbelSoftmax,
  gateChannels,
  gateEachChannel,
  quadraticForm,
  penalty,
  adaptPenalty,
];

export {
  accumulate,
  adamw,
  adaptiveAvgPool2d,
  adaptPenalty,
  add,
  adjoinedLoss,
  augment,
  avgPool2d,
  batchNorm,
  batchNormEval,
  bias,
  colorJitter,
  concat,
  conv2d,
  countCorrect,
  crossEntropy,
  distillationLoss,
  dropout,
  dropPath,
  erase,
  gateChannels,
  gateEachChannel,
  gelu,
  globalAvgPool2d,
  guardStep,
  gumbelNoise,
  gumbelSoftmax,
  hardSigmoid,
  hardSwish,
  layerNorm,
  leakyRelu,
  linear,
  maskedConv2d,
  maxPool2d,
  mixPictures,
  movingAverage,
  multiply,
  narrow,
  normalizePixels,
  type Operation,
  OPERATIONS,
  penalty,
  quadraticForm,
  randAugment,
  relu,
  relu6,
  restore,
  samplePictures,
  scaleChannels,
  scaleLoss,
  select,
  sgd,
  sigmoid,
  silu,
  upsample2d,
};
