import { add } from "../kernels/ops/add.ts";
import { avgPool2d } from "../kernels/ops/avg_pool2d.ts";
import { batchNorm, batchNormEval } from "../kernels/ops/batch_norm.ts";
import { conv2d, maskedConv2d } from "../kernels/ops/conv2d.ts";
import { globalAvgPool2d } from "../kernels/ops/global_avg_pool2d.ts";
import { linear } from "../kernels/ops/linear.ts";
import { maxPool2d } from "../kernels/ops/max_pool2d.ts";
import { narrow } from "../kernels/ops/narrow.ts";
import { relu } from "../kernels/ops/relu.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { type Adjoined, SMALL } from "./compress/adjoin.ts";
import { fusions } from "./fusions.ts";
import {
  type BatchNormLayer,
  type Conv2dLayer,
  IMAGE,
  type Layer,
  type Network,
  NORM_EPS,
} from "./network.ts";
import type { Apply } from "./tape.ts";

/** What running a network needs besides its layers. */
export interface Running {
  /** How ops are recorded: {@link Tape.apply} in training, {@link applying} otherwise. */
  readonly apply: Apply;
  /** The tensor of a parameter or running statistic. */
  readonly parameter: (name: string) => Tensor;
  /** Training uses and updates batch statistics; evaluation uses the running ones. */
  readonly training: boolean;
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
  /** The part of a batch in the running statistics. Default: 0.1. */
  readonly momentum?: number;
}

/** The names of the tensors of a norm: those of the small network have names of their own. */
export function normName(layer: string, network: "base" | "small"): string {
  return network === "base" ? layer : SMALL + layer;
}

function convolve(layer: Conv2dLayer, x: Tensor, { apply, parameter }: Running): Tensor {
  const w = parameter(`${layer.name}.weight`);
  const { stride, padding, keptTaps } = layer;
  const whole = w.shape[2] === layer.in && w.shape[3] === layer.out && !keptTaps;
  return whole
    ? apply(conv2d, [x, w], { stride, padding })[0]
    : apply(maskedConv2d, [x, w], { stride, padding, keepOut: layer.out, keptTaps })[0];
}

function normalize(
  x: Tensor,
  { running, name, relu, residual }: {
    running: Running;
    name: string;
    relu: boolean;
    residual?: Tensor;
  },
): Tensor {
  const { apply, parameter, training, eps = NORM_EPS, momentum = 0.1 } = running;
  const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
    .map((part) => parameter(`${name}.${part}`));
  const inputs = [x, weight, bias, mean, variance, ...residual ? [residual] : []];
  return training
    ? apply(batchNorm, inputs, { eps, relu, momentum })[0]
    : apply(batchNormEval, inputs, { eps, relu })[0];
}

/** What is done to values on their way, such as gating them. */
export interface Soft {
  /** What layer `i` gives, given what it computes. */
  readonly value: (i: number, y: Tensor) => Tensor;
  /** What a summand of layer `i` is, by its position, given the value it names. */
  readonly input: (i: number, input: number, x: Tensor) => Tensor;
}

/** Which part of a network to run, and what is known already. */
export interface Part {
  /** What is done to values on their way. */
  readonly soft?: Soft;
  /** Whether to run layer `i`. Default: all of them. */
  readonly includes?: (i: number) => boolean;
  /** The value of a layer that does not run. */
  readonly known?: (i: number) => Tensor | undefined;
  /** Which network's norms to use. */
  readonly norms: "base" | "small";
}

/** Runs a network, or a part of it, on an image. Gives the value of each layer that ran. */
export function run(network: Network, image: Tensor, running: Running, part: Part): Tensor[] {
  const { apply } = running;
  const { layers } = network;
  const { relus, sums } = fusions(network);
  const followed = layers.map((_, i) => relus.some((is, j) => is && layers[j].inputs[0] === i));
  const runs = (i: number): boolean => !part.known?.(i) && (part.includes?.(i) ?? true);
  const fused = sums.map((sum, i) =>
    // Gates would lie between a norm and its sum.
    sum && !part.soft && runs(sum.summand) && runs(i) ? sum : undefined
  );
  const later = new Set(fused.map((sum) => sum?.summand));
  const values: Tensor[] = [];
  const value = (v: number): Tensor => v === IMAGE ? image : values[v];
  const norm = (layer: BatchNormLayer, relu: boolean, residual?: Tensor): Tensor => {
    const name = normName(layer.name, part.norms);
    return normalize(value(layer.inputs[0]), { running, name, relu, residual });
  };
  const runLayer = (layer: Layer, i: number): Tensor => {
    const x = value(layer.inputs[0]);
    switch (layer.kind) {
      case "conv2d":
        return convolve(layer, x, running);
      case "batchNorm":
        return norm(layer, followed[i]);
      case "relu":
        return relus[i] ? x : apply(relu, [x], {})[0];
      case "add": {
        const sum = fused[i];
        if (sum) return values[sum.summand] = norm(sum.norm, followed[i], value(sum.residual));
        const summands = layer.inputs.map((v, k) => part.soft?.input(i, k, value(v)) ?? value(v));
        return apply(add, summands, { relu: followed[i] })[0];
      }
      case "narrow":
        return apply(narrow, [x], { channels: layer.channels })[0];
      case "maxPool2d":
        return apply(maxPool2d, [x], layer)[0];
      case "avgPool2d":
        return apply(avgPool2d, [x], layer)[0];
      case "globalAvgPool2d":
        return apply(globalAvgPool2d, [x], {})[0];
      case "linear": {
        const [w, b] = ["weight", "bias"].map((p) => running.parameter(`${layer.name}.${p}`));
        return apply(linear, [x, w, b], { prefix: w.shape[0] !== layer.in })[0];
      }
    }
  };
  layers.forEach((layer, i) => {
    const known = part.known?.(i);
    if (known) values[i] = known;
    else if (runs(i) && !later.has(i)) {
      const y = runLayer(layer, i);
      values[i] = part.soft?.value(i, y) ?? y;
    }
  });
  return values;
}

/** Logits of a network on its own. */
export function runNetwork(network: Network, image: Tensor, running: Running): Tensor {
  return run(network, image, running, { norms: "base" })[network.layers.length - 1];
}

/**
 * Logits of both networks. The shared trunk runs first, then the small network, then the base, so
 * that on the way back the base network's whole weight gradients are written before the small
 * network's slices are added to them.
 */
export function runAdjoined(
  { base, small, shared, origin }: Adjoined,
  image: Tensor,
  running: Running,
  soft?: Soft,
): { base: Tensor; small: Tensor } {
  const trunk = run(base, image, running, { norms: "base", includes: (i) => shared[i] });
  const smallValues = run(small, image, running, {
    norms: "small",
    soft,
    known: (i) => origin[i] >= 0 && shared[origin[i]] ? trunk[origin[i]] : undefined,
  });
  const baseValues = run(base, image, running, { norms: "base", known: (i) => trunk[i] });
  return {
    base: baseValues[base.layers.length - 1],
    small: smallValues[small.layers.length - 1],
  };
}
