import { assert, assertEquals } from "@std/assert";
import { Random } from "../data/random.ts";
import { elements } from "../kernels/gpu/tensor.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { type TorchTensor, toTorch } from "../nn/layout.ts";
import { type Network, network as makeNetwork } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { fitPretrained } from "../nn/pretrained.ts";
import { cutPretrained, withSmallNorms } from "../nn/compress/pretrained_small.ts";
import { model, resnet, torchvisionNames } from "../nn/families/mod.ts";
import { networkSpecs } from "../nn/state.ts";
import { adjoinedSpecs, extract } from "../nn/compress/adjoined_state.ts";

const thin = { block: "basic", depths: [1, 1], classes: 3 } as const;
const network = resnet({
  ...thin,
  widths: [4, 8],
  stem: [4],
  reduce: true,
  variant: "torchvision",
});

/** Random values, and the same as PyTorch saves them. */
function weightsOf(of: Network, seed = 1): { state: State; tensors: Map<string, TorchTensor> } {
  const random = new Random(seed, "weights");
  const { parameters, statistics } = networkSpecs(of);
  const specs = [...parameters, ...statistics];
  const state: State = new Map(
    specs.map(({ name, shape }) =>
      [name, Float32Array.from({ length: elements(shape) }, () => random.normal())] as const
    ),
  );
  const tensors = specs.map(({ name, shape }) => [name, toTorch(state.get(name)!, shape)] as const);
  return { state, tensors: new Map(tensors) };
}

const single = (value: number): TorchTensor => ({ shape: [], data: Float32Array.of(value) });

Deno.test("fitPretrained() takes all of a network's own tensors, and no counts of batches", () => {
  const { state, tensors } = weightsOf(network);
  tensors.set("bn1.num_batches_tracked", single(7));
  assertEquals(fitPretrained(network, tensors), { state, unused: [], fresh: [] });
});

/** A convolution over whole images, as VGGs have it before their classifier. */
const whole = makeNetwork({ channels: 2 }, (n) => {
  let x = n.batchNorm(n.image, { name: "norm" });
  x = n.conv2d(x, { name: "hidden", out: 3, kernel: 4, padding: 0 });
  n.linear(n.globalAvgPool2d(x), { name: "fc", out: 2 });
});

Deno.test("fitPretrained() takes linear layers for convolutions, and the other way round", () => {
  const { state, tensors } = weightsOf(whole);
  for (const [name, shape] of [["hidden", [3, 32]], ["fc", [2, 3, 1, 1]]] as const) {
    const { data } = tensors.get(`${name}.weight`)!;
    tensors.set(`${name}.weight`, { shape, data });
  }
  tensors.set("norm.weight", { ...tensors.get("norm.weight")!, shape: [2, 1, 1] });
  assertEquals(fitPretrained(whole, tensors), { state, unused: [], fresh: [] });
  // Sizes in another order are no such layers.
  tensors.set("hidden.weight", { shape: [32, 3], data: new Float32Array(96) });
  tensors.set("norm.bias", { shape: [1, 2], data: new Float32Array(2) });
  assertEquals(fitPretrained(whole, tensors).fresh, ["norm.bias", "hidden.weight"]);
});

Deno.test("fitPretrained() renames what another library calls otherwise, and keeps to its eps", () => {
  const { state, tensors } = weightsOf(whole);
  const names = [["0", "norm"], ["1", "hidden"], ["2.scale", "fc.weight"], ["2", "fc"]] as const;
  const theirs = new Map(
    [...tensors].map(([name, tensor]) => {
      const [layer, part] = name.split(".");
      const [number] = names.find(([, ours]) => ours === layer) ?? [layer];
      return [name === "fc.weight" ? "2.scale" : `${number}.${part}`, tensor];
    }),
  );
  const foreign = { names, eps: 1e-3 };
  const found = fitPretrained(whole, theirs, foreign);
  assertEquals([found.unused, found.fresh], [[], []]);
  for (const [name, values] of state) {
    const wanted = name === "norm.running_var" ? values.map((v) => v + (1e-3 - 1e-5)) : values;
    assertEquals(found.state.get(name), wanted, name);
  }
  // Our own names are taken as they are.
  assertEquals(fitPretrained(whole, tensors, foreign).state, state);
});

Deno.test("DenseNet-121 takes the names of the file that torchvision offers", () => {
  const densenet = model("densenet121", { classes: 10 });
  const { parameters, statistics } = networkSpecs(densenet);
  const published = new Map(
    [...parameters, ...statistics].map(({ name, shape }): [string, TorchTensor] => [
      name.replace(/(denselayer\d+\.(?:norm|conv))(\d)/, "$1.$2"),
      toTorch(new Float32Array(elements(shape)), shape),
    ]),
  );
  assert(published.has("features.denseblock4.denselayer16.norm.2.running_var"));
  const { unused, fresh } = fitPretrained(densenet, published, torchvisionNames("densenet121"));
  assertEquals([unused, fresh], [[], []]);
});

Deno.test("fitPretrained() leaves out a classifier of other classes, and names the rest", () => {
  const { state } = weightsOf(network);
  const { tensors } = weightsOf(
    resnet({
      ...thin,
      classes: 5,
      widths: [4, 8],
      stem: [4],
      reduce: true,
      variant: "torchvision",
    }),
  );
  tensors.delete("layer2.0.bn2.bias");
  tensors.set("layer2.1.conv1.weight", { shape: [8, 8, 3, 3], data: new Float32Array(576) });
  tensors.set("bn1.bias", single(1));
  const found = fitPretrained(network, tensors);
  assertEquals(found.unused, [
    { name: "bn1.bias", reason: "a single number, wanted 4" },
    { name: "fc.weight", reason: "5x8, wanted 3x8" },
    { name: "fc.bias", reason: "5, wanted 3" },
    { name: "layer2.1.conv1.weight", reason: "unknown name" },
  ]);
  assertEquals(found.fresh, ["bn1.bias", "layer2.0.bn2.bias", "fc.weight", "fc.bias"]);
  assertEquals(found.state.size, state.size - 4);
  assertEquals(found.state.get("layer1.0.conv1.weight"), state.get("layer1.0.conv1.weight"));
});

Deno.test("timm's ResNets with a deep stem fit the xresnet family but for widths of the stem", () => {
  // timm's resnet18d: a stem of 32, 32 and 64 channels, where the authors have 32, 64 and 64.
  const timm = resnet({
    block: "basic",
    depths: [2, 2, 2, 2],
    widths: [64, 128, 256, 512],
    stem: [32, 32, 64],
    reduce: true,
    classes: 1000,
  });
  const { tensors } = weightsOf(timm);
  for (const name of ["conv1.6.weight", "layer2.0.downsample.1.weight", "layer4.1.bn2.bias"]) {
    assert(tensors.has(name), name);
  }
  const found = fitPretrained(model("resnet18", { classes: 1000 }), tensors);
  const parts = ["weight", "bias", "running_mean", "running_var"];
  const wanted = ["conv1.3.weight", ...parts.map((part) => `conv1.4.${part}`), "conv1.6.weight"];
  assertEquals(found.unused.map(({ name }) => name).toSorted(), wanted.toSorted());
  assertEquals(found.fresh.toSorted(), wanted.toSorted());
});

Deno.test("the small network's norms start as the first channels of the base network's", () => {
  const { state, tensors } = weightsOf(network);
  tensors.delete("layer2.0.bn2.weight");
  const adjoined = adjoin(network, { compression: 3 });
  const found = withSmallNorms(adjoined, fitPretrained(network, tensors)).state;
  assertEquals(
    found.get("small.layer2.0.bn1.running_var"),
    state.get("layer2.0.bn1.running_var")!.slice(0, 2),
  );
  assertEquals(found.has("small.layer2.0.bn2.weight"), false);
  const { parameters, statistics } = adjoinedSpecs(adjoined);
  const missing = [...parameters, ...statistics].filter(({ name }) => !found.has(name));
  assertEquals(missing.map(({ name }) => name), [
    "layer2.0.bn2.weight",
    "small.layer2.0.bn2.weight",
  ]);
});

Deno.test("cutPretrained() gives what extracting gives, of what fits", () => {
  const { tensors } = weightsOf(network);
  const adjoined = adjoin(network, { compression: 2, maskFrom: 1 });
  const whole = fitPretrained(network, tensors);
  const wanted = extract(adjoined, withSmallNorms(adjoined, whole).state);
  assertEquals(cutPretrained(adjoined, whole).state, wanted);
  const { parameters } = networkSpecs(adjoined.small);
  for (const { name, shape } of parameters) {
    assertEquals(wanted.get(name)?.length, elements(shape), name);
  }
  tensors.delete("fc.weight");
  tensors.delete("layer1.0.conv1.weight");
  const cut = cutPretrained(adjoined, fitPretrained(network, tensors));
  wanted.delete("fc.weight");
  wanted.delete("layer1.0.conv1.weight");
  assertEquals(cut.state, wanted);
  assertEquals(cut.fresh, ["layer1.0.conv1.weight", "fc.weight"]);
});
