import { narrow } from "./narrow.ts";
import { maxPool2d } from "./max_pool2d.ts";
import { gateChannels } from "./gate_channels.ts";
import { globalAvgPool2d } from "./global_avg_pool2d.ts";
import { batchNorm, batchNormEval } from "./batch_norm.ts";
import { avgPool2d } from "./avg_pool2d.ts";
import { add } from "./add.ts";
import { adjoinedLoss } from "./adjoined_loss.ts";
import { augment } from "./augment.ts";
import { conv2d, maskedConv2d } from "./conv2d.ts";
import { accumulate, countCorrect } from "./counters.ts";
import { crossEntropy } from "./cross_entropy.ts";
import { distillationLoss } from "./distillation_loss.ts";
import { gumbelNoise } from "./gumbel.ts";
import { gumbelSoftmax } from "./gumbel_softmax.ts";
import { linear } from "./linear.ts";
import type { Op } from "./op.ts";
import { adamw, sgd } from "./optimizers.ts";
import { adaptPenalty, penalty } from "./penalty.ts";
import { quadraticForm } from "./quadratic_form.ts";
import { relu } from "./relu.ts";

/** All ops. From their cases follow the parity tests, the gradient tests and the benches. */
export const ops: readonly Op[] = [
  conv2d,
  maskedConv2d,
  batchNorm,
  batchNormEval,
  relu,
  add,
  maxPool2d,
  avgPool2d,
  globalAvgPool2d,
  narrow,
  linear,
  crossEntropy,
  adjoinedLoss,
  distillationLoss,
  accumulate,
  countCorrect,
  sgd,
  adamw,
  augment,
  gumbelNoise,
  gumbelSoftmax,
  gateChannels,
  quadraticForm,
  penalty,
  adaptPenalty,
];

export {
  accumulate,
  adamw,
  adaptPenalty,
  add,
  adjoinedLoss,
  augment,
  avgPool2d,
  batchNorm,
  batchNormEval,
  conv2d,
  countCorrect,
  crossEntropy,
  distillationLoss,
  gateChannels,
  globalAvgPool2d,
  gumbelNoise,
  gumbelSoftmax,
  linear,
  maskedConv2d,
  maxPool2d,
  narrow,
  penalty,
  quadraticForm,
  relu,
  sgd,
};
