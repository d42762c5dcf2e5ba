// What a network starts with, what training does to its norms, and what becomes of its weights when
// it is cut or folded.
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { foldNorms } from "../nn/fold.ts";
import { runNetwork } from "../nn/forward.ts";
import { network } from "../nn/network.ts";
import { model } from "../nn/families/mod.ts";
import { adjoinedSpecs, extract } from "../nn/compress/adjoined_state.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { applying, Weights } from "../train/learner.ts";

Deno.test("norms start at scale 1, those of layers marked zero at 0, biases at 0", () => {
  const { base, ...pair } = adjoin(model("resnet8", { classes: 10 }), { compression: 4 });
  const norms = base.layers.filter((layer) => layer.kind === "batchNorm");
  const zero = norms.flatMap(({ zero, name }) => zero ? [name] : []);
  assertEquals(zero, ["layer1.0.bn2", "layer2.0.bn2", "layer3.0.bn2"]);
  const state = initialize(adjoinedSpecs({ base, ...pair }), base, () => 2);
  for (const [name, values] of state) {
    const norm = norms.find((norm) => `${norm.name}.weight` === name.replace(/^small\./, ""));
    if (norm) assertEquals(new Set(values), new Set([norm.zero ? 0 : 1]), name);
    if (/bias$|running_mean$/.test(name)) assertEquals(new Set(values), new Set([0]), name);
    if (name.endsWith("running_var")) assertEquals(new Set(values), new Set([1]), name);
  }
  assert(state.has("small.layer2.0.bn2.weight"));
  const std = 1 / Math.sqrt(3 * 3 * 16);
  assertAlmostEquals(state.get("layer1.0.conv1.weight")![0], 2 * std, 1e-6);
});

Deno.test("a step moves running statistics a tenth of the way to those of the batch", async () => {
  const made = network({ channels: 2 }, (n) => {
    n.linear(n.globalAvgPool2d(n.batchNorm(n.image, { name: "bn" })), { name: "fc", out: 2 });
  });
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const specs = networkSpecs(made);
    const weights = new Weights(scope, specs, initialize(specs, made, () => 1));
    // Of the channels: mean 4 and 30, unbiased variance 20 / 3 and 2000 / 3.
    const image = scope.tensor("image", [1, 2, 2, 2], [1, 0, 3, 20, 5, 40, 7, 60]);
    const program = await scope.trace("step", (trace) => {
      const parameter = weights.tensor;
      trace.keep(runNetwork(made, image, { apply: applying(trace), parameter, training: true }));
    });
    program.replay();
    const state = await weights.read();
    const close = (name: string, wanted: readonly number[]): void =>
      wanted.forEach((value, i) => assertAlmostEquals(state.get(name)![i], value, 1e-3));
    close("bn.running_mean", [0.4, 3]);
    close("bn.running_var", [0.9 + 0.1 * 20 / 3, 0.9 + 0.1 * 2000 / 3]);
  } finally {
    gpu.destroy();
  }
});

Deno.test("a filter that is cut out has zeros at the taps that are not kept", () => {
  const adjoined = adjoin(model("resnet8", { classes: 10 }), {
    compression: 4,
    maskingFactor: 0.4,
    random: () => 0.37,
  });
  const state = initialize(adjoinedSpecs(adjoined), adjoined.base, () => 1);
  const small = extract(adjoined, state);
  const sparse = adjoined.small.layers.flatMap((layer) =>
    layer.kind === "conv2d" && layer.keptTaps ? [layer] : []
  );
  assert(sparse.length > 3);
  for (const { name, keptTaps = [], in: channels, out } of sparse) {
    assert(keptTaps.includes(false));
    keptTaps.forEach((kept, tap) => {
      const weight = small.get(`${name}.weight`)!;
      const values = weight.subarray(tap * channels * out, (tap + 1) * channels * out);
      assert(values.every((value) => (value !== 0) === kept), `${name}, tap ${tap}`);
    });
  }
});

Deno.test("a folded norm divides by the root of variance and eps", () => {
  const made = network({ channels: 1 }, (n) => {
    const x = n.batchNorm(n.conv2d(n.image, { name: "conv", out: 1, kernel: 1 }), { name: "bn" });
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 1 });
  });
  const state = initialize(networkSpecs(made), made, () => 1);
  state.set("conv.weight", Float32Array.of(3));
  state.set("bn.weight", Float32Array.of(2));
  state.set("bn.bias", Float32Array.of(5));
  state.set("bn.running_mean", Float32Array.of(7));
  // A variance of 3 eps: the root of 4 eps is 0.02 for an eps of 1e-4.
  state.set("bn.running_var", Float32Array.of(3e-4));
  const [folded] = foldNorms(made, state, { eps: 1e-4 }).values();
  assertAlmostEquals(folded.weight[0], 3 * 2 / 0.02, 1e-3);
  assertAlmostEquals(folded.bias[0], 5 - 7 * 2 / 0.02, 1e-3);
  const [usual] = foldNorms(made, state).values();
  assertAlmostEquals(usual.weight[0], 6 / Math.sqrt(3.1e-4), 1e-3);
});
