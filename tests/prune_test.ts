import { assert, assertEquals } from "@std/assert";
import { Random } from "../data/random.ts";
import { Gpu } from "../kernels/gpu.ts";
import type { Scope } from "../kernels/program/scope.ts";
import { adjoin, type Adjoined } from "../nn/compress/adjoin.ts";
import { runNetwork } from "../nn/forward.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { pruneByMagnitude } from "../nn/compress/prune.ts";
import { model } from "../nn/families/mod.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { costRatio, uniformWidths } from "../nn/compress/width_uniform.ts";
import { applying, Weights } from "../train/learner.ts";

const IMAGE = { height: 16, width: 16 };

/** A state with norms that do something. */
function trained(network: Network, random: Random): State {
  const state = initialize(networkSpecs(network), network, () => random.normal());
  for (const [name, values] of state) {
    if (/\.(bias|running_mean)$/.test(name)) values.forEach((_, i) => values[i] = random.normal());
    if (/bn\d?\.weight|downsample\.2\.weight/.test(name)) values.fill(0.8);
  }
  return state;
}

async function logitsOf(
  scope: Scope,
  network: Network,
  { state, pixels }: { state: State; pixels: Float32Array },
): Promise<Float32Array> {
  const image = scope.tensor("image", [4, IMAGE.height, IMAGE.width, 3], pixels);
  const { tensor: parameter } = new Weights(scope, networkSpecs(network), state);
  let kept = image;
  const program = await scope.trace("evaluation", (trace) => {
    const running = { apply: applying(trace), parameter, training: false };
    kept = trace.keep(runNetwork(network, image, running));
  });
  program.replay();
  return Float32Array.from((await scope.gpu.read([kept]))[0]);
}

/** Makes all but every second channel of the masked convolutions nothing, in filters and norms. */
function silence({ base, masked }: Adjoined, state: State): void {
  base.layers.forEach((layer, i) => {
    if (layer.kind !== "conv2d" || !masked.includes(layer.name)) return;
    const weight = state.get(`${layer.name}.weight`);
    const norm = base.layers.find(({ kind, inputs }) => kind === "batchNorm" && inputs[0] === i);
    assert(weight && norm?.kind === "batchNorm");
    weight.forEach((_, k) => weight[k] *= k % layer.out % 2);
    for (const part of ["weight", "bias"]) {
      const values = state.get(`${norm.name}.${part}`);
      values?.forEach((_, c) => values[c] *= c % 2);
    }
  });
}

Deno.test("pruning by magnitude keeps what the network computes when the rest is nothing", async () => {
  const random = new Random(1, "prune");
  const gpu = await Gpu.open();
  try {
    for (const name of ["resnet8", "resnet20"]) {
      const base = model(name, { classes: 5, stem: "cifar" });
      const adjoined = adjoin(base, { compression: 2 });
      const state = trained(base, random);
      silence(adjoined, state);
      const { adjoined: own, state: pruned } = pruneByMagnitude(adjoined, state);
      using scope = gpu.scope();
      const pixels = Float32Array.from({ length: 4 * 16 * 16 * 3 }, () => random.normal());
      const whole = await logitsOf(scope, base, { state, pixels });
      const small = await logitsOf(scope, own.small, { state: pruned, pixels });
      const scale = Math.max(...whole.map(Math.abs));
      assert(scale > 0.1);
      whole.forEach((logit, i) => assert(Math.abs(logit - small[i]) < 1e-5 * scale, name));
    }
  } finally {
    gpu.destroy();
  }
});

Deno.test("pruning to full width changes nothing, and cuts every tensor to the small network's", () => {
  const random = new Random(2, "prune");
  for (const maskFrom of [1, 2]) {
    const base = model("resnet20", { classes: 5, stem: "cifar" });
    const state = trained(base, random);
    const whole = adjoin(base, { compression: 1, maskFrom });
    const { state: same } = pruneByMagnitude(whole, state);
    assertEquals(same.size, state.size);
    for (const [name, values] of same) {
      assertEquals(values, state.get(name), name);
    }
    const cut = adjoin(base, { compression: 3, maskFrom });
    const { adjoined: { small }, state: pruned } = pruneByMagnitude(cut, state);
    const { parameters, statistics } = networkSpecs(small);
    for (const { name, shape } of [...parameters, ...statistics]) {
      assertEquals(pruned.get(name)?.length, shape.reduce((a, b) => a * b, 1), name);
    }
  }
});

Deno.test("uniform widths come as near to the budget as rounding allows", () => {
  const image = { height: 32, width: 32 };
  for (const name of ["resnet20", "resnet18", "resnet50"]) {
    const base = model(name, { classes: 10, stem: "cifar" });
    for (const budgeted of ["macs", "params"] as const) {
      for (const maskFrom of [1, 2]) {
        for (const budget of [0.45, 0.6, 0.9, 1]) {
          const widths = uniformWidths(base, { maskFrom }, { budget, budgeted, image });
          const { small } = adjoin(base, { compression: 1, maskFrom, widths });
          const found = costRatio(small, base, { budgeted, image });
          assert(Math.abs(found - budget) < 0.02, `${name} ${budgeted} ${budget}: ${found}`);
        }
      }
    }
  }
});
