// Names and stages of layers that are read from ONNX.
import { assertEquals } from "@std/assert";
import { LayerNames, layerOfTensor, moduleName } from "../export/onnx_read/layer_names.ts";
import { readOnnx } from "../export/onnx_read/read_onnx.ts";
import { encodeOnnx } from "../export/onnx.ts";
import { isConv2d } from "../nn/layers/conv2d.ts";
import { model } from "../nn/families/mod.ts";
import type { Network } from "../nn/network.ts";
import { GraphFile } from "./onnx_graph_file.ts";
import { checkpointOf } from "./saved_networks.ts";

Deno.test("layers are called after the modules of torch's nodes", () => {
  const names = [
    ["/layer1/layer1.0/conv1/Conv", "Conv", "layer1.0.conv1"],
    ["/features/features.0/features.0.0/Conv_2", "Conv", "features.0.0"],
    ["/trunk_output/block1/block1-0/f/b/b.0/Conv", "Conv", "trunk_output.block1.block1-0.f.b.0"],
    ["/Conv", "Conv", ""],
    ["Conv_12", "Conv", "Conv_12"],
    ["", "Conv", ""],
  ];
  for (const [node, op, wanted] of names) assertEquals(moduleName(node, op), wanted);
});

Deno.test("layers are called after their tensors, where these have names", () => {
  const names: readonly (readonly [string | undefined, string | undefined])[] = [
    ["layer1.0.conv1.weight", "layer1.0.conv1"],
    ["stages.0.blocks.0.gamma", "stages.0.blocks.0"],
    ["bn1.running_var", "bn1"],
    ["features.1.layer_scale", "features.1.layer_scale"],
    ["onnx::Conv_193", undefined],
    ["val_7", undefined],
    ["193", undefined],
    [".weight", undefined],
    [undefined, undefined],
  ];
  for (const [tensor, wanted] of names) assertEquals(layerOfTensor(tensor), wanted);
});

Deno.test("layers are called after copies of tensors that several have in common", () => {
  const g = new GraphFile();
  const copy = g.node("Identity", [g.weights("a.weight", [3, 3, 1, 1])], {}, { name: "copy" });
  const x = g.node("Conv", [g.node("Conv", [g.image, "a.weight"]), copy]);
  const { network } = readOnnx(g.bytes(g.classifier(x, 3)), "it");
  assertEquals(Object.keys(stagesOf(network)), ["a", "copy_out"]);
});

Deno.test("names are given once, and are ones that a network can have", () => {
  const names = new LayerNames();
  assertEquals(names.take("a.conv"), "a.conv");
  assertEquals(names.take(undefined, "", "a.conv"), "a.conv_2");
  assertEquals(names.take("a.conv"), "a.conv_3");
  assertEquals(names.take("small.conv"), "small_conv");
  assertEquals(names.take("/a b\u202e/c/"), "a_b_c");
  assertEquals(names.take("///"), "layer");
  assertEquals(names.take(), "layer_2");
  assertEquals(names.take("x".repeat(1000)).length, 200);
});

/** By convolution: its stage. */
function stagesOf({ layers }: Network): Record<string, number | undefined> {
  return Object.fromEntries(layers.filter(isConv2d).map(({ name, stage }) => [name, stage]));
}

Deno.test("a ResNet that is read has the stages of the one that was written", () => {
  for (const variant of ["torchvision", "xresnet"] as const) {
    const network = model("resnet18", { classes: 4, variant });
    const { bytes } = encodeOnnx(checkpointOf(network), { includeNormalization: false });
    assertEquals(stagesOf(readOnnx(bytes, "it").network), stagesOf(network));
  }
});

Deno.test("a gate of single pixels belongs to the stage of what it is applied to", () => {
  const g = new GraphFile(["batch", 3, 32, 32]);
  const half = { pads: [1, 1, 1, 1], strides: [2, 2] };
  let x = g.conv(g.image, "stem", [4, 3, 3, 3], half);
  x = g.conv(x, "block", [4, 4, 3, 3], half);
  const gate = g.conv(g.node("GlobalAveragePool", [x]), "gate", [4, 4, 1, 1]);
  x = g.node("Mul", [x, g.node("Sigmoid", [gate])]);
  x = g.node("MaxPool", [x], { kernel_shape: [2, 2], strides: [2, 2] });
  x = g.conv(x, "last", [4, 4, 3, 3], { pads: [1, 1, 1, 1] });
  const { network } = readOnnx(g.bytes(g.classifier(x, 4)), "it");
  assertEquals(stagesOf(network), { stem: 0, block: 1, gate: 1, last: 2 });
});
