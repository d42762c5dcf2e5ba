// jax-js on WebGPU, everything under jit.
import { blockUntilReady, defaultDevice, getWebGPUDevice, init } from "@jax-js/jax";
import { type Array as NdArray, jit, lax, numpy as np, vjp } from "@jax-js/jax";
import { nhwcToNchw, toTorch } from "../../nn/layout.ts";
import { type ConvolutionTask, type Task, values } from "../work.ts";
import config from "./deno.json" with { type: "json" };
import { arrayOf } from "./jax_js_layers.ts";
import { type Runnable, step } from "./jax_js_step.ts";
import { magnitude, type Prepared, serve } from "./serve.ts";

function convolution(
  { direction, kernel, in: inputs, out, size, batch }: ConvolutionTask,
): Runnable {
  const image = (channels: number, seed: number): NdArray => {
    const shape = [batch, size, size, channels];
    const data = nhwcToNchw(values(batch * size * size * channels, seed), shape);
    return arrayOf(data, [batch, channels, size, size]);
  };
  const filter = (): NdArray => {
    const shape = [kernel, kernel, inputs, out];
    const { data, shape: reversed } = toTorch(values(kernel ** 2 * inputs * out, 1), shape);
    return arrayOf(data, reversed);
  };
  const pad: [number, number] = [kernel >> 1, kernel >> 1];
  const convolve = (x: NdArray, w: NdArray) => lax.convGeneralDilated(x, w, [1, 1], [pad, pad]);
  const gradient = (f: (x: NdArray) => NdArray, at: NdArray, dy: NdArray): NdArray => {
    const [y, back] = vjp(f, [at]);
    y.dispose();
    const [found] = back(dy);
    back.dispose();
    return found;
  };
  const held = {
    forward: () => [image(inputs, 0), filter()],
    inputGradient: () => [image(inputs, 0), filter(), image(out, 2)],
    weightGradient: () => [image(inputs, 0), filter(), image(out, 2)],
  }[direction]();
  const compiled = {
    forward: jit((x: NdArray, w: NdArray) => convolve(x, w)),
    inputGradient: jit((x: NdArray, w: NdArray, dy: NdArray) =>
      gradient((x) => convolve(x, w), x, dy)
    ),
    weightGradient: jit((x: NdArray, w: NdArray, dy: NdArray) =>
      gradient((w) => convolve(x, w), w, dy)
    ),
  };
  return {
    run: () => {
      const [x, w, dy] = held.map((array) => array.ref);
      return direction === "forward" ? compiled.forward(x, w) : compiled[direction](x, w, dy);
    },
    drop: () => {
      for (const array of held) array.dispose();
      for (const f of Object.values(compiled)) f.dispose();
    },
  };
}

function prepare(task: Task): Promise<Prepared> {
  const { run, drop } = task.kind === "step" ? step(task) : convolution(task);
  const pending: NdArray[] = [];
  const idle = np.zeros([1]);
  let last: NdArray | undefined;
  return Promise.resolve({
    submit: () => {
      pending.push(run());
    },
    settle: async () => {
      await blockUntilReady(pending);
      last?.dispose();
      last = pending.pop();
      for (const array of pending.splice(0)) array.dispose();
    },
    emptyWait: async () => {
      const sum = idle.ref.add(1);
      await blockUntilReady(sum);
      sum.dispose();
    },
    check: async () => last ? magnitude(await last.ref.data()) : 0,
    drop: () => {
      last?.dispose();
      idle.dispose();
      drop();
    },
  });
}

await init("webgpu");
defaultDevice("webgpu");
const version = config.imports["@jax-js/jax"].split("@").at(-1) ?? "";
const device = `WebGPU, ${getWebGPUDevice().adapterInfo.description}`;
await serve({ name: "jax-js", version, device }, { prepare, mostRuns: 32 });
