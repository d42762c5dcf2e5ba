// torchvision's form of the ResNets: sizes, names, and logits of a whole one where PyTorch is there.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { parseSafetensors } from "../data/safetensors.ts";
import { Gpu } from "../kernels/gpu.ts";
import { count } from "../nn/count.ts";
import type { Network } from "../nn/network.ts";
import { model, resnet, type Stem } from "../nn/families/mod.ts";
import { networkSpecs } from "../nn/state.ts";
import { checkPretrained } from "./parity/pretrained.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { pythonWithTorch } from "./python.ts";
import { compareWithTorchvision, hasTorchvision, type ModelPair } from "./whole_families.ts";

function torchvision(name: string, stem?: Stem): Network {
  return model(name, { classes: 1000, variant: "torchvision", stem });
}

Deno.test("the variant torchvision has torchvision's parameters and multiply-accumulates", () => {
  // As published with its weights; GFLOPS there are multiply-accumulates.
  const sizes: [string, number, string][] = [
    ["resnet18", 11_689_512, "1.81"],
    ["resnet34", 21_797_672, "3.66"],
    ["resnet50", 25_557_032, "4.09"],
    ["resnet101", 44_549_160, "7.80"],
    ["resnet152", 60_192_808, "11.51"],
  ];
  for (const [name, wanted, giga] of sizes) {
    const found = count(torchvision(name), { height: 224, width: 224 });
    assertEquals(found.params, wanted, name);
    assertEquals((found.macs / 1e9).toFixed(2), giga, name);
  }
});

Deno.test("the variant torchvision has torchvision's names", () => {
  const names = (name: string): string[] => {
    const { parameters, statistics } = networkSpecs(torchvision(name));
    return [...parameters, ...statistics].map(({ name }) => name);
  };
  // As many as torchvision's state has, less a count of batches for each norm.
  const counts: [string, number][] = [["resnet18", 122 - 20], ["resnet50", 320 - 53]];
  for (const [name, wanted] of counts) assertEquals(names(name).length, wanted);
  const found = new Set(names("resnet50"));
  for (
    const name of [
      ...["conv1.weight", "bn1.running_var", "layer1.0.downsample.0.weight", "fc.bias"],
      ...["layer1.0.downsample.1.running_mean", "layer3.5.conv3.weight", "layer4.2.bn3.bias"],
    ]
  ) assert(found.has(name), name);
});

Deno.test("with the stem for CIFAR, the variant torchvision neither strides nor pools at first", () => {
  const { layers } = torchvision("resnet18", "cifar");
  const [stem] = layers;
  assert(stem.kind === "conv2d");
  assertEquals([stem.kernel, stem.stride, stem.out], [3, 1, 64]);
  assert(!layers.some(({ kind }) => kind === "maxPool2d" || kind === "avgPool2d"));
});

Deno.test("what torchvision does not have is refused", () => {
  for (const name of ["resnet8", "resnet100"]) {
    const message =
      `wanted one of resnet18, resnet34, resnet50, resnet101, resnet152, found ${name}`;
    assertThrows(() => torchvision(name), RangeError, message);
  }
  assertThrows(() => torchvision("resnet18", "authors"), RangeError, "found the stem authors");
  const options = { block: "basic", depths: [1], widths: [8], reduce: true, classes: 2 } as const;
  assertThrows(
    () => resnet({ ...options, stem: [4, 8], variant: "torchvision" }),
    RangeError,
    "wanted a stem of one convolution, found 2",
  );
});

const ignore = lacks("read", "write", "run", "env");
const withPyTorch = ignore ? undefined : await pythonWithTorch();

Deno.test(
  "logits of a whole ResNet-18 with random weights equal PyTorch's to 1e-4",
  { ignore: !withPyTorch },
  async () => {
    const dir = await Deno.makeTempDir();
    const gpu = await Gpu.open();
    try {
      const script = fileURLToPath(new URL("./python/torchvision.py", import.meta.url));
      const args = [script, dir, "resnet18", "1000", "64"];
      const { success, stderr } = await new Deno.Command(withPyTorch ?? "", { args }).output();
      assert(success, new TextDecoder().decode(stderr));
      const bytes = await Deno.readFile(`${dir}/torchvision_resnet18.safetensors`);
      const findings = await checkPretrained(gpu, parseSafetensors(bytes));
      assertEquals(findings.length, 2);
      for (const { what, error } of findings) assert(error <= 1e-4, `${what}: ${error}`);
    } finally {
      gpu.destroy();
      await Deno.remove(dir, { recursive: true });
    }
  },
);

/** Our names of models, and torchvision's; `deno task torture --only families` takes all. */
const FAMILIES: readonly ModelPair[] = [
  ["mobilenetv3_large_100", "mobilenet_v3_large"],
  ["squeezenet1_1", "squeezenet1_1"],
];

Deno.test(
  "logits of whole models with torchvision's random weights equal torchvision's to 1e-4",
  { ignore: !withPyTorch || !await hasTorchvision(withPyTorch) },
  () =>
    withFolder(async (dir) => {
      for (const pair of FAMILIES) await compareWithTorchvision(withPyTorch ?? "", dir, pair);
    }),
);
