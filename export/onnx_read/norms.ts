import { NORM_EPS } from "../../nn/layers/batch_norm.ts";
import type { Operators } from "./operator.ts";
import { made, type Reading } from "./reading.ts";
import type { Step } from "./step.ts";
import { byChannel } from "./sums.ts";
import { axesOf, type FileValue, isPixel, sizesText } from "./value.ts";

/** A norm of batches, with the statistics that it is evaluated with. */
function batchNorm(step: Step, reading: Reading): FileValue {
  step.ignore("momentum");
  if (step.int("training_mode", 0) !== 0) {
    return step.refuse("wanted a model for evaluation, found one for training");
  }
  const x = reading.tensor(step, 0);
  const fits = x.kind === "rows" || x.layout === "nchw" || (x.layout === "flat" && isPixel(x));
  if (!fits) return step.refuse(`wanted channels as the second axis, found ${sizesText(x)}`);
  const eps = step.float("epsilon", 1e-5);
  const name = reading.name(step, 1);
  ["weight", "bias", "running_mean", "running_var"].forEach((part, i) =>
    reading.store(`${name}.${part}`, reading.channelwise(step, i + 1, x.channels))
  );
  return made(x, reading.n.batchNorm(x.value, { name, ...eps === NORM_EPS ? {} : { eps } }));
}

/** A norm of the channels of each pixel; of an operator over the last axes, they have to be the last. */
function layerNorm(step: Step, reading: Reading, last: boolean): FileValue {
  step.ignore("stash_type");
  const x = reading.tensor(step, 0);
  const axes = axesOf(x);
  const axis = step.int("axis", -1);
  const wide = x.kind === "image" && x.layout === "flat" && !isPixel(x);
  if (axes.at(axis) !== "c" || wide || (last && axes.at(-1) !== "c")) {
    return step.refuse(
      `wanted a norm over the channels alone, found ${sizesText(x)} and axis ${axis}`,
    );
  }
  const eps = step.float("epsilon", 1e-5);
  const name = reading.name(step, 1);
  const [weight, bias] = [1, 2].map((i) => {
    if (!reading.has(step, i)) return new Float32Array(x.channels);
    return Float32Array.from(byChannel(step, x, reading.constant(step, i)));
  });
  reading.store(`${name}.weight`, weight);
  reading.store(`${name}.bias`, bias);
  return made(x, reading.n.layerNorm(x.value, { name, eps }));
}

/** Norms. */
export const NORMS: Operators = {
  BatchNormalization: batchNorm,
  LayerNormalization: (step, reading) => layerNorm(step, reading, true),
  layerNorm: (step, reading) => layerNorm(step, reading, false),
};
