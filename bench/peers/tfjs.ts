// TensorFlow.js on WebGPU.
import * as tf from "@tensorflow/tfjs-core";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
// Registers the gradients of all ops.
import "@tensorflow/tfjs-layers";
import { type ConvolutionTask, type Task, values } from "../work.ts";
import { magnitude, type Prepared, serve } from "./serve.ts";
import { step } from "./tfjs_step.ts";

function convolution(
  { direction, kernel, in: inputs, out, size, batch }: ConvolutionTask,
): () => tf.Tensor {
  const shapes: Record<"x" | "w" | "y", [number, number, number, number]> = {
    x: [batch, size, size, inputs],
    w: [kernel, kernel, inputs, out],
    y: [batch, size, size, out],
  };
  const made = (shape: [number, number, number, number], seed: number): tf.Tensor4D =>
    tf.tensor4d(values(tf.util.sizeFromShape(shape), seed), shape);
  const pad = kernel >> 1;
  const attributes = { strides: 1, pad, dataFormat: "NHWC" };
  const run = (name: string, inputs: tf.NamedTensorMap, more: object): tf.Tensor => {
    const found = tf.engine().runKernel(name, inputs, { ...attributes, ...more });
    return Array.isArray(found) ? found[0] : found;
  };
  if (direction === "forward") {
    const [x, w] = [made(shapes.x, 0), made(shapes.w, 1)];
    return () => tf.conv2d(x, w, 1, pad);
  }
  const dy = made(shapes.y, 2);
  if (direction === "inputGradient") {
    const filter = made(shapes.w, 1);
    return () => run("Conv2DBackpropInput", { dy, filter }, { inputShape: shapes.x });
  }
  const x = made(shapes.x, 0);
  return () => run("Conv2DBackpropFilter", { x, dy }, { filterShape: shapes.w });
}

/** Waits until a tensor, and all that was submitted before it, is there. */
async function settle(tensor: tf.Tensor): Promise<void> {
  const element = tf.tidy(() => tf.slice(tf.reshape(tensor, [-1]), 0, 1));
  await element.data();
  element.dispose();
}

function prepare(task: Task): Promise<Prepared> {
  tf.engine().startScope();
  const idle = tf.zeros([1]);
  const run = task.kind === "step" ? step(task) : convolution(task);
  let last: tf.Tensor = idle;
  return Promise.resolve({
    submit: () => {
      if (last !== idle) last.dispose();
      last = run();
    },
    settle: () => settle(last),
    emptyWait: () => settle(idle),
    check: async () => magnitude(await last.data()),
    drop: () => {
      tf.engine().endScope();
      tf.disposeVariables();
    },
  });
}

await tf.setBackend("webgpu");
await tf.ready();
const backend = tf.backend();
const device = backend instanceof WebGPUBackend ? backend.device.adapterInfo.description : "";
await serve({ name: "TensorFlow.js", version: tf.version_core, device: `WebGPU, ${device}` }, {
  prepare,
  mostRuns: 256,
});
