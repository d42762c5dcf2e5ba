import { type Array as NdArray, jit, lax, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { nhwcToNchw, toTorch } from "../../nn/layout.ts";
import { type StepTask, weights } from "../work.ts";
import { blocksOf, EPS, imagesOf, oneHotOf, STATISTICS_MOMENTUM } from "./network.ts";

/** Work that can be run again and again. */
export interface Runnable {
  /** Runs once; gives a result to wait for. */
  readonly run: () => NdArray;
  /** Frees what it holds. */
  readonly drop: () => void;
}

interface Convolution {
  readonly kernel: number;
  readonly stride: number;
  /** Counted over the network: filter, scale and shift are parameters 3 index and on. */
  readonly index: number;
}

/** An array of a shape, from values in its layout. */
export function arrayOf(data: Float32Array, shape: readonly number[]): NdArray {
  return np.array(new Float32Array(data)).reshape([...shape]);
}

/** Weights in the layout of PyTorch; the batch; the network's convolutions in order. */
function build(task: StepTask) {
  const { batch, size, classes, widths } = task;
  const parameters: NdArray[] = [];
  const statistics: NdArray[] = [];
  let index = 0;
  const convolution = (kernel: number, inputs: number, out: number, stride = 1): Convolution => {
    const shape = [kernel, kernel, inputs, out];
    const { data, shape: reversed } = toTorch(weights(shape, index), shape);
    const each = [1, out, 1, 1];
    parameters.push(arrayOf(data, reversed), np.ones(each), np.zeros(each));
    statistics.push(np.zeros(each), np.ones(each));
    return { kernel, stride, index: index++ };
  };
  const stem = convolution(3, 3, widths[0]);
  const blocks = blocksOf(task).map(({ in: inputs, out, stride }) => ({
    first: convolution(3, inputs, out, stride),
    second: convolution(3, out, out),
    shortcut: stride === 1 ? undefined : convolution(1, inputs, out),
  }));
  const shape = [widths[widths.length - 1], classes];
  parameters.push(arrayOf(weights(shape, index), shape), np.zeros([classes]));
  const images = nhwcToNchw(imagesOf(task), [batch, size, size, 3]);
  return {
    parameters,
    statistics,
    stem,
    blocks,
    images: arrayOf(images, [batch, 3, size, size]),
    targets: arrayOf(oneHotOf(task), [batch, classes]),
  };
}

/** Convolution and batch norm; puts the batch's mean and unbiased variance into `found`. */
function convolve(
  p: readonly NdArray[],
  x: NdArray,
  { kernel, stride, index }: Convolution,
  found: NdArray[],
): NdArray {
  const pad: [number, number] = [kernel >> 1, kernel >> 1];
  const [filter, scale, shift] = p.slice(3 * index, 3 * index + 3);
  const y = lax.convGeneralDilated(x, filter.ref, [stride, stride], [pad, pad]);
  const count = y.size / y.shape[1];
  const mean = np.mean(y.ref, [0, 2, 3], { keepdims: true });
  const centred = y.sub(mean.ref);
  const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
  found[2 * index] = mean;
  found[2 * index + 1] = variance.ref.mul(count / (count - 1));
  return centred.div(np.sqrt(variance.add(EPS))).mul(scale.ref).add(shift.ref);
}

/** The average of every 2x2 pixels. */
function halve(x: NdArray): NdArray {
  const [n, c, h, w] = x.shape;
  return np.mean(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
}

/** A training step; each call runs one and gives its loss. */
export function step(task: StepTask): Runnable {
  const { parameters, statistics, stem, blocks, images, targets } = build(task);
  const lossOf = (p: NdArray[], x: NdArray, y: NdArray): [NdArray, NdArray[]] => {
    const found: NdArray[] = [];
    let h = nn.relu(convolve(p, x, stem, found));
    for (const { first, second, shortcut } of blocks) {
      const through = shortcut ? convolve(p, halve(h.ref), shortcut, found) : h.ref;
      const inner = nn.relu(convolve(p, h, first, found));
      h = nn.relu(convolve(p, inner, second, found).add(through));
    }
    const [weight, bias] = p.slice(-2);
    const logits = np.matmul(np.mean(h, [2, 3]), weight.ref).add(bias.ref);
    return [nn.logSoftmax(logits).mul(y).sum().mul(-1 / task.batch), found];
  };
  type Result = [loss: NdArray, p: NdArray[], velocity: NdArray[], running: NdArray[]];
  const compiled = jit(
    (p: NdArray[], v: NdArray[], r: NdArray[], x: NdArray, y: NdArray): Result => {
      const gradient = valueAndGrad((p: NdArray[]) => lossOf(p, x, y), { hasAux: true });
      const [[loss, found], g] = gradient(p.map((array) => array.ref));
      const velocity = v.map((m, i) => m.mul(task.momentum).add(g[i]));
      const next = p.map((array, i) => array.sub(velocity[i].ref.mul(task.lr)));
      const running = r.map((m, i) =>
        m.mul(1 - STATISTICS_MOMENTUM).add(found[i].mul(STATISTICS_MOMENTUM))
      );
      return [loss, next, velocity, running];
    },
  );
  let p = parameters;
  let v = parameters.map((array) => np.zeros(array.shape));
  let r = statistics;
  return {
    run: () => {
      const [loss, ...state] = compiled(p, v, r, images.ref, targets.ref);
      [p, v, r] = state;
      return loss;
    },
    drop: () => {
      for (const array of [...p, ...v, ...r, images, targets]) array.dispose();
      compiled.dispose();
    },
  };
}
