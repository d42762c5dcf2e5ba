import { type Array as NdArray, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { nhwcToNchw } from "../../nn/layout.ts";
import type { InvertedTask, ResidualTask, StepTask } from "../work.ts";
import { arrayOf, convolve, Layers } from "./jax_js_layers.ts";
import {
  imagesOf,
  invertedBlocks,
  oneHotOf,
  residualBlocks,
  STATISTICS_MOMENTUM,
} from "./network.ts";

/** Work that can be run again and again. */
export interface Runnable {
  /** Runs once; gives a result to wait for. */
  readonly run: () => NdArray;
  /** Frees what it holds. */
  readonly drop: () => void;
}

/**
 * From parameters and images to the values whose means are the features; puts the statistics of
 * norms into `found`.
 */
type Body = (p: readonly NdArray[], images: NdArray, found: NdArray[]) => NdArray;

/** The average of every 2x2 pixels. */
function halve(x: NdArray): NdArray {
  const [n, c, h, w] = x.shape;
  return np.mean(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
}

function residual(task: ResidualTask, layers: Layers): Body {
  const stem = layers.convolution(3, 3, task.widths[0]);
  const blocks = residualBlocks(task).map(({ in: inputs, out, stride }) => ({
    first: layers.convolution(3, inputs, out, { stride }),
    second: layers.convolution(3, out, out),
    shortcut: stride === 1 ? undefined : layers.convolution(1, inputs, out),
  }));
  return (p, images, found) => {
    let x = nn.relu(convolve(p, images, stem, found));
    for (const { first, second, shortcut } of blocks) {
      const through = shortcut ? convolve(p, halve(x.ref), shortcut, found) : x.ref;
      const inner = nn.relu(convolve(p, x, first, found));
      x = nn.relu(convolve(p, inner, second, found).add(through));
    }
    return x;
  };
}

function relu6(x: NdArray): NdArray {
  return np.clip(x, 0, 6);
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
  return (p, images, found) => {
    let x = relu6(convolve(p, images, stem, found));
    for (const { expand, depthwise, project, adds } of blocks) {
      const through = adds ? x.ref : undefined;
      const wide = expand ? relu6(convolve(p, x, expand, found)) : x;
      const y = convolve(p, relu6(convolve(p, wide, depthwise, found)), project, found);
      x = through ? y.add(through) : y;
    }
    return relu6(convolve(p, x, head, found));
  };
}

/** A training step; each call runs one and gives its loss. */
export function step(task: StepTask): Runnable {
  const { batch, size, classes } = task;
  const layers = new Layers();
  const isResidual = task.blocks === "residual";
  const body = isResidual ? residual(task, layers) : inverted(task, layers);
  layers.classifier(isResidual ? task.widths[task.widths.length - 1] : task.headWidth, classes);
  const images = arrayOf(
    nhwcToNchw(imagesOf(task), [batch, size, size, 3]),
    [batch, 3, size, size],
  );
  const targets = arrayOf(oneHotOf(task), [batch, classes]);
  const lossOf = (p: NdArray[], x: NdArray, y: NdArray): [NdArray, NdArray[]] => {
    const found: NdArray[] = [];
    const features = np.mean(body(p, x, found), [2, 3]);
    const [weight, bias] = p.slice(-2);
    const logits = np.matmul(features, weight.ref).add(bias.ref);
    return [nn.logSoftmax(logits).mul(y).sum().mul(-1 / batch), found];
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
  let p = layers.parameters;
  let v = p.map((array) => np.zeros(array.shape));
  let r = layers.statistics;
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
