import { type Array as NdArray, lax, numpy as np } from "@jax-js/jax";
import { toTorch } from "../../nn/layout.ts";
import { weights } from "../work.ts";
import { EPS } from "./network.ts";

/** A convolution with its norm. */
export interface Convolution {
  readonly kernel: number;
  readonly stride: number;
  /** Groups of channels. */
  readonly groups: number;
  /** Counted over the network: filter, scale and shift are parameters 3 index and on. */
  readonly index: number;
}

/** How a convolution differs from one with stride 1 over all channels. */
export interface Form {
  readonly stride?: number;
  /** Whether each channel has a filter of its own. */
  readonly depthwise?: boolean;
}

/** An array of a shape, from values in its layout. */
export function arrayOf(data: Float32Array, shape: readonly number[]): NdArray {
  return np.array(new Float32Array(data)).reshape([...shape]);
}

/** The parameters of a network, in order and in the layout of PyTorch, and its norms' statistics. */
export class Layers {
  readonly parameters: NdArray[] = [];
  readonly statistics: NdArray[] = [];
  #index = 0;

  convolution(kernel: number, inputs: number, out: number, form: Form = {}): Convolution {
    const { stride = 1, depthwise = false } = form;
    const shape = [kernel, kernel, depthwise ? 1 : inputs, out];
    const { data, shape: reversed } = toTorch(weights(shape, this.#index), shape);
    const each = [1, out, 1, 1];
    this.parameters.push(arrayOf(data, reversed), np.ones(each), np.zeros(each));
    this.statistics.push(np.zeros(each), np.ones(each));
    return { kernel, stride, groups: depthwise ? inputs : 1, index: this.#index++ };
  }

  /** Adds the weight and the bias that make logits of features. */
  classifier(features: number, classes: number): void {
    const shape = [features, classes];
    this.parameters.push(arrayOf(weights(shape, this.#index), shape), np.zeros([classes]));
  }
}

/** Every second pixel of each side, as a sum in which the others count nothing. */
function everySecond(x: NdArray): NdArray {
  const [n, c, h, w] = x.shape;
  const first = np.array([1, 0, 0, 0]).reshape([2, 1, 2]);
  return np.sum(x.reshape([n, c, h / 2, 2, w / 2, 2]).mul(first), [3, 5]);
}

/**
 * A depthwise convolution, where it strides as every second pixel of one that does not: the library's
 * own input gradient with strides and groups is wrong on WebGPU.
 */
function depthwise(x: NdArray, filter: NdArray, { kernel, stride, groups }: Convolution): NdArray {
  const pad: [number, number] = [kernel >> 1, kernel >> 1];
  const y = lax.convGeneralDilated(x, filter, [1, 1], [pad, pad], { featureGroupCount: groups });
  return stride === 1 ? y : everySecond(y);
}

/** Convolution and batch norm; puts the batch's mean and unbiased variance into `found`. */
export function convolve(
  p: readonly NdArray[],
  x: NdArray,
  convolution: Convolution,
  found: NdArray[],
): NdArray {
  const { kernel, stride, groups, index } = convolution;
  const pad: [number, number] = [kernel >> 1, kernel >> 1];
  const [filter, scale, shift] = p.slice(3 * index, 3 * index + 3);
  const y = groups > 1
    ? depthwise(x, filter.ref, convolution)
    : lax.convGeneralDilated(x, filter.ref, [stride, stride], [pad, pad]);
  const count = y.size / y.shape[1];
  const mean = np.mean(y.ref, [0, 2, 3], { keepdims: true });
  const centred = y.sub(mean.ref);
  const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
  found[2 * index] = mean;
  found[2 * index + 1] = variance.ref.mul(count / (count - 1));
  return centred.div(np.sqrt(variance.add(EPS))).mul(scale.ref).add(shift.ref);
}
