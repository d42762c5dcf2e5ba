import type { Mutant } from "./mutant.ts";

const OPS_TEST = "tests/ops_test.ts";

/** The test of an op. */
const ofOp = (op: string): string =>
  `${op} equals its float64 reference, and so does its gradient, on its whole grid`;
const LAYERS_TEST = "tests/activation_layers_test.ts";
const EXPORTED = {
  file: "tests/onnx_test.ts",
  name: "onnxruntime gives the logits of a network of activations and layer norms",
};
const LAYER_NORM = { file: OPS_TEST, name: ofOp("layer norm") };

/** Activations, products and layer norms that are not what they are called. */
export const ACTIVATIONS: readonly Mutant[] = [
  {
    name: "sigmoid makes one half of padding",
    file: "kernels/ops/activations.ts",
    find: "value: (at) => shifts ?",
    replace: "value: (at) => shifts === undefined ?",
    test: { file: OPS_TEST, name: ofOp("sigmoid") },
  },
  {
    name: "sigmoid takes a power that overflows",
    file: "kernels/ops/activations.ts",
    find: "let power = exp(-abs(x));",
    replace: "let power = exp(x);",
    test: { file: "tests/activations_test.ts", name: "infinity or NaN of large numbers" },
  },
  {
    name: "a factor of one pixel has the gradient of that pixel alone",
    file: "kernels/ops/image_sums.ts",
    find: "let end = min(first + dims.chunk, dims.pixels);",
    replace: "let end = min(first + 1u, dims.pixels);",
    test: { file: OPS_TEST, name: ofOp("multiply") },
  },
  {
    name: "padding counts in the variance of a layer norm",
    file: "kernels/ops/layer_norm.ts",
    find: "select(vec4f(), x(first + c) - mean, inside(c))",
    replace: "x(first + c) - mean",
    test: LAYER_NORM,
  },
  {
    name: "a layer norm loses what the mean loses to rounding",
    file: "kernels/ops/layer_norm.ts",
    find: "((x - s.x) - s.y) * s.z",
    replace: "(x - s.x) * s.z",
    test: LAYER_NORM,
  },
  {
    name: "a norm drops the activation that it does",
    file: "nn/forward.ts",
    find: "...(activation && { activation }),",
    replace: "",
    test: EXPORTED,
  },
  {
    name: "the gradient of a norm leaves out the slope of its activation",
    file: "kernels/ops/norm_activation.ts",
    find: "gradient: (z, dy) => `slope_of(",
    replace: "gradient: (z, dy) => `1.0 + 0.0 * slope_of(",
    test: { file: OPS_TEST, name: ofOp("batch norm") },
  },
  {
    name: "SiLU in ONNX is the square of its sigmoid",
    file: "export/onnx_graph.ts",
    find: "step.again && k > 0 ? [inputs[0]]",
    replace: "step.again && k > 0 ? [reads[0]]",
    test: EXPORTED,
  },
  {
    name: "any two images may be multiplied",
    file: "nn/count.ts",
    find: "kind.spreads === true && height === 1 && width === 1",
    replace: "kind.spreads === true && width === 1",
    test: { file: LAYERS_TEST, name: "an image of one pixel is spread" },
  },
  {
    name: "images of one pixel are not spread",
    file: "nn/count.ts",
    find: "kind.spreads === true &&",
    replace: "kind.spreads === undefined &&",
    test: { file: LAYERS_TEST, name: "an image of one pixel is spread" },
  },
  {
    name: "both networks have one layer norm",
    file: "nn/layers/layer_norm.ts",
    find: "  perNetwork: true,\n",
    replace: "",
    test: { file: LAYERS_TEST, name: "a block of ConvNeXt and a gate" },
  },
  {
    name: "dropout leaves what stays as it is",
    file: "kernels/ops/dropout.ts",
    find: "v * dims.scale, stays)",
    replace: "v, stays)",
    test: { file: OPS_TEST, name: ofOp("dropout") },
  },
  {
    name: "stochastic depth leaves branches that stay as they are",
    file: "kernels/ops/drop_path.ts",
    find: "x(at) * dims.scale, stays)",
    replace: "x(at), stays)",
    test: { file: OPS_TEST, name: ofOp("drop path") },
  },
];
