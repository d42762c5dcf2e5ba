import type { Safetensors } from "../../data/safetensors.ts";
import {
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  relu6,
  sigmoid,
  silu,
} from "../../kernels/ops/activations.ts";
import { add } from "../../kernels/ops/add.ts";
import { adjoinedLoss } from "../../kernels/ops/adjoined_loss.ts";
import { avgPool2d } from "../../kernels/ops/avg_pool2d.ts";
import { bias } from "../../kernels/ops/bias.ts";
import { batchNorm, batchNormEval } from "../../kernels/ops/batch_norm.ts";
import { conv2d, maskedConv2d } from "../../kernels/ops/conv2d.ts";
import type { Sides } from "../../kernels/wgsl/geometry.ts";
import { crossEntropy } from "../../kernels/ops/cross_entropy.ts";
import { distDivergence } from "../../kernels/ops/dist_divergence.ts";
import { distillationLoss } from "../../kernels/ops/distillation_loss.ts";
import { dkdDivergence } from "../../kernels/ops/dkd_divergence.ts";
import { klDivergence } from "../../kernels/ops/kl_divergence.ts";
import { globalAvgPool2d } from "../../kernels/ops/global_avg_pool2d.ts";
import { pullBack, written } from "../../kernels/gradient.ts";
import type { Gpu } from "../../kernels/gpu.ts";
import { layerNorm } from "../../kernels/ops/layer_norm.ts";
import { multiply } from "../../kernels/ops/multiply.ts";
import { scaleChannels } from "../../kernels/ops/scale_channels.ts";
import { linear } from "../../kernels/ops/linear.ts";
import { maxPool2d } from "../../kernels/ops/max_pool2d.ts";
import type { Op } from "../../kernels/op.ts";
import { relu } from "../../kernels/ops/relu.ts";
import type { Tensor } from "../../kernels/gpu/tensor.ts";
import { upsample2d } from "../../kernels/ops/upsample2d.ts";
import { type Reference, reference, relativeError } from "./reference.ts";

/** What a file says of an op: names of its tensors, in the op's order. */
interface OpFile {
  readonly inputs: readonly Reference[];
  /** Expected outputs, by index of the op's outputs. */
  readonly outputs: readonly (Reference | undefined)[];
  /** The gradient of the first output; 1 for a loss. */
  readonly dy: Reference;
  /** Expected gradients, by input. */
  readonly gradients: readonly (Reference | undefined)[];
}

type Checker = (gpu: Gpu, file: Safetensors) => Promise<number>;

/** The largest relative error of the outputs and gradients of an op. */
async function errorOf<A>(gpu: Gpu, op: Op<A>, attributes: A, file: OpFile): Promise<number> {
  using scope = gpu.scope();
  const inputs = file.inputs.map(({ shape, values, type }, i) =>
    scope.tensor(`input ${i}`, shape, values, type)
  );
  const dy = scope.tensor("dy", file.dy.shape, file.dy.values);
  const found: { tensor: Tensor; wanted: Reference }[] = [];
  const program = await scope.trace(op.name, (trace) => {
    const expect = (tensor: Tensor, wanted?: Reference): void => {
      if (wanted) found.push({ tensor: trace.keep(tensor), wanted });
    };
    const outputs = op.forward(trace, inputs, attributes);
    outputs.forEach((output, i) => expect(output, file.outputs[i]));
    if (op.vjp === "none") return;
    const wanted = inputs.map((_, i) => file.gradients[i] !== undefined);
    const context = { inputs, outputs, attributes, wanted };
    pullBack(trace, op, context, dy).forEach((gradient, i) => {
      if (!gradient || !wanted[i]) return;
      const { shape } = inputs[i];
      expect(written(trace, gradient, { name: `gradient ${i}`, shape }), file.gradients[i]);
    });
  });
  program.replay();
  const read = await gpu.read(found.map(({ tensor }) => tensor));
  return Math.max(...read.map((values, i) => relativeError(values, found[i].wanted.values)));
}

function number(file: Safetensors, key: string, missing?: number): number {
  const text = file.metadata[key];
  if (text === undefined && missing !== undefined) return missing;
  return Number(text);
}

function flag(file: Safetensors, key: string, missing: boolean): boolean {
  return (file.metadata[key] ?? String(missing)).toLowerCase() === "true";
}

/** A number for rows and columns, or two with an x between them. */
function sides(file: Safetensors, key: string, missing?: number): Sides {
  const text = file.metadata[key];
  if (!text?.includes("x")) return number(file, key, missing);
  const [height, width] = text.split("x").map(Number);
  return [height, width];
}

const ONE: Reference = { shape: [1], values: Float32Array.of(1), type: "f32" };

function filterFile(file: Safetensors): OpFile {
  const of = (name: string): Reference => reference(file, name);
  return {
    inputs: [of("x"), of("weight")],
    outputs: [of("y")],
    dy: of("dy"),
    gradients: [of("dx"), of("dweight")],
  };
}

function unaryFile(file: Safetensors): OpFile {
  const of = (name: string): Reference => reference(file, name);
  return { inputs: [of("x")], outputs: [of("y")], dy: of("dy"), gradients: [of("dx")] };
}

const batchNormTrain: Checker = (gpu, file) => {
  const of = (name: string): Reference => reference(file, name);
  const attributes = { eps: number(file, "eps"), momentum: number(file, "momentum"), relu: false };
  return errorOf(gpu, batchNorm, attributes, {
    inputs: ["x", "weight", "bias", "running_mean", "running_var"].map(of),
    outputs: ["y", "new_running_mean", "new_running_var"].map(of),
    dy: of("dy"),
    gradients: [of("dx"), of("dweight"), of("dbias")],
  });
};

const ACTIVATIONS = {
  relu6,
  sigmoid,
  hard_sigmoid: hardSigmoid,
  silu,
  hard_swish: hardSwish,
  gelu,
};

const activations: Checker = async (gpu, file) => {
  const of = (name: string): Reference => reference(file, name);
  const unary = (name: string): OpFile => ({
    ...{ inputs: [of("x")], dy: of("dy") },
    ...{ outputs: [of(`${name}.y`)], gradients: [of(`${name}.dx`)] },
  });
  const slope = number(file, "slope");
  const errors = [await errorOf(gpu, leakyRelu, { slope }, unary("leaky_relu"))];
  for (const [name, op] of Object.entries(ACTIVATIONS)) {
    errors.push(await errorOf(gpu, op, {}, unary(name)));
  }
  return Math.max(...errors);
};

/** A file that has, of each input, the gradient under its name with `d` before it. */
function namedFile(file: Safetensors, names: readonly string[]): OpFile {
  const of = (name: string): Reference => reference(file, name);
  return {
    inputs: names.map(of),
    outputs: [of("y")],
    dy: of("dy"),
    gradients: names.map((name) => of(`d${name}`)),
  };
}

/** The three losses on soft targets, or with weights of classes. */
const softLabels: Checker = async (gpu, file) => {
  const of = (name: string): Reference => reference(file, name);
  const [mixed, weighted] = [file.metadata.mixed === "true", file.metadata.weighted === "true"];
  const attributes = { labelSmoothing: number(file, "label_smoothing"), mixed, weighted };
  const added = [...(mixed ? ["others", "shares"] : []), ...(weighted ? ["weights"] : [])].map(of);
  const [base, small, labels] = ["base", "small", "labels"].map(of);
  const lambda: Reference = { ...ONE, values: Float32Array.of(number(file, "lambda")) };
  const wanted = (loss: string, ...gradients: string[]) => ({
    outputs: [of(`${loss}.loss`)],
    dy: ONE,
    gradients: gradients.map((name) => of(`${loss}.${name}`)),
  });
  const errors = [
    await errorOf(gpu, crossEntropy, attributes, {
      inputs: [base, labels, ...added],
      ...wanted("cross_entropy", "dbase"),
    }),
    await errorOf(gpu, adjoinedLoss, { ...attributes, detach: false }, {
      inputs: [base, small, labels, lambda, ...added],
      ...wanted("adjoined", "dbase", "dsmall"),
    }),
    await errorOf(gpu, distillationLoss, attributes, {
      inputs: [small, base, labels, ...added],
      ...wanted("distillation", "dsmall"),
    }),
  ];
  return Math.max(...errors);
};

/** The divergences of a small network's outputs from the base network's. */
const divergences: Checker = async (gpu, file) => {
  const of = (name: string): Reference => reference(file, name);
  const mixed = file.metadata.mixed === "true";
  const [base, small] = ["base", "small"].map(of);
  const targets = ["labels", ...(mixed ? ["others", "shares"] : [])].map(of);
  const [alpha, beta, gamma] = ["alpha", "beta", "gamma"].map((name) => number(file, name));
  const common = { temperature: number(file, "temperature"), detach: false };
  const wanted = (divergence: string) => ({
    outputs: [of(`${divergence}.value`)],
    dy: ONE,
    gradients: [of(`${divergence}.dbase`), of(`${divergence}.dsmall`)],
  });
  const errors = [
    await errorOf(gpu, klDivergence, common, { inputs: [base, small], ...wanted("kl") }),
    await errorOf(gpu, distDivergence, { ...common, beta, gamma }, {
      inputs: [base, small],
      ...wanted("dist"),
    }),
    await errorOf(gpu, dkdDivergence, { ...common, alpha, beta, mixed }, {
      inputs: [base, small, ...targets],
      ...wanted("dkd"),
    }),
  ];
  return Math.max(...errors);
};

/** How to check each kind of file; the longest name that a file's name starts with counts. */
export const OP_CHECKS: Readonly<Record<string, Checker>> = {
  conv2d: (gpu, file) => {
    const attributes = {
      stride: sides(file, "stride"),
      padding: sides(file, "padding"),
      dilation: sides(file, "dilation", 1),
      groups: number(file, "groups", 1),
    };
    return errorOf(gpu, conv2d, attributes, filterFile(file));
  },
  bias: (gpu, file) => {
    const of = (name: string): Reference => reference(file, name);
    return errorOf(gpu, bias, {}, {
      inputs: [of("x"), of("bias")],
      outputs: [of("y")],
      dy: of("dy"),
      gradients: [of("dx"), of("dbias")],
    });
  },
  masked_conv2d: (gpu, file) => {
    const stride = number(file, "stride");
    const padding = number(file, "padding");
    const keepOut = number(file, "keep_out");
    return errorOf(gpu, maskedConv2d, { stride, padding, keepOut }, filterFile(file));
  },
  batch_norm_train: batchNormTrain,
  batch_norm_eval: (gpu, file) => {
    const of = (name: string): Reference => reference(file, name);
    return errorOf(gpu, batchNormEval, { eps: number(file, "eps"), relu: false }, {
      inputs: ["x", "weight", "bias", "running_mean", "running_var"].map(of),
      outputs: [of("y")],
      dy: of("dy"),
      gradients: [of("dx"), of("dweight"), of("dbias"), undefined, undefined],
    });
  },
  relu: (gpu, file) => errorOf(gpu, relu, {}, unaryFile(file)),
  add: (gpu, file) => {
    const of = (name: string): Reference => reference(file, name);
    const gradients = ["da", "db"].map((name) => file.tensors.has(name) ? of(name) : undefined);
    const inputs = [of("a"), of("b")];
    return errorOf(gpu, add, { relu: false }, {
      inputs,
      outputs: [of("y")],
      dy: of("dy"),
      gradients,
    });
  },
  activations,
  multiply: (gpu, file) => errorOf(gpu, multiply, {}, namedFile(file, ["a", "b"])),
  scale_channels: (gpu, file) => errorOf(gpu, scaleChannels, {}, namedFile(file, ["x", "gamma"])),
  layer_norm: (gpu, file) => {
    const eps = number(file, "eps");
    return errorOf(gpu, layerNorm, { eps }, namedFile(file, ["x", "weight", "bias"]));
  },
  max_pool2d: (gpu, file) => {
    const kernel = number(file, "kernel");
    const attributes = {
      kernel,
      stride: number(file, "stride", kernel),
      padding: number(file, "padding", 0),
      ceilMode: flag(file, "ceil_mode", false),
    };
    return errorOf(gpu, maxPool2d, attributes, unaryFile(file));
  },
  avg_pool2d: (gpu, file) => {
    const kernel = number(file, "kernel");
    const attributes = {
      kernel,
      stride: number(file, "stride", kernel),
      padding: number(file, "padding", 0),
      ceilMode: flag(file, "ceil_mode", false),
      countPadding: flag(file, "count_include_pad", true),
    };
    return errorOf(gpu, avgPool2d, attributes, unaryFile(file));
  },
  global_avg_pool2d: (gpu, file) => errorOf(gpu, globalAvgPool2d, {}, unaryFile(file)),
  linear: (gpu, file) => {
    const of = (name: string): Reference => reference(file, name);
    const inputs = [of("x"), of("weight"), of("bias")];
    const prefix = inputs[0].shape[1] < inputs[1].shape[0];
    return errorOf(gpu, linear, { prefix }, {
      inputs,
      outputs: [of("y")],
      dy: of("dy"),
      gradients: [of("dx"), of("dweight"), of("dbias")],
    });
  },
  cross_entropy: (gpu, file) => {
    const of = (name: string): Reference => reference(file, name);
    return errorOf(gpu, crossEntropy, { labelSmoothing: number(file, "label_smoothing", 0) }, {
      inputs: [of("logits"), of("labels")],
      outputs: [of("loss")],
      dy: ONE,
      gradients: [of("dlogits"), undefined],
    });
  },
  adjoined_loss: (gpu, file) => {
    const of = (name: string): Reference => reference(file, name);
    const lambda: Reference = { ...ONE, values: Float32Array.of(number(file, "lambda")) };
    const parts = Float32Array.of(
      of("loss").values[0],
      of("cross_entropy").values[0],
      of("kl").values[0],
      1,
    );
    return errorOf(gpu, adjoinedLoss, { labelSmoothing: 0, detach: false }, {
      inputs: [of("base_logits"), of("small_logits"), of("labels"), lambda],
      outputs: [of("loss"), { shape: [4], values: parts, type: "f32" }],
      dy: ONE,
      gradients: [of("dbase"), of("dsmall"), undefined, undefined],
    });
  },
  soft_labels: softLabels,
  divergences,
  upsample2d: (gpu, file) =>
    errorOf(gpu, upsample2d, { factor: number(file, "factor") }, unaryFile(file)),
};
