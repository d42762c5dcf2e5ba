import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import { ValidationBatches } from "../data/batches.ts";
import { Gpu } from "../kernels/gpu.ts";
import { count } from "../nn/count.ts";
import { model } from "../nn/families/mod.ts";
import { type Checkpoint, encodeCheckpoint } from "../export/checkpoint.ts";
import { KernelSession } from "../train/kernel_session.ts";
import { encodeOnnx, parseOnnxInfo } from "../export/onnx.ts";
import { onnxGraph } from "../export/onnx_graph.ts";
import { OnnxSession } from "../export/onnx_session.ts";
import type { Verification } from "../train/types.ts";
import { areEqual, compareLogits } from "../train/verify.ts";
import { lacks } from "./permissions.ts";
import { checkpointOf, IMAGE, images, NETWORKS } from "./saved_networks.ts";

const ignore = lacks("read");
const dataset = images(7);
const batch = 3;

/** Compares a file in onnxruntime with a network on our kernels. */
async function difference(
  bytes: Uint8Array,
  checkpoint: Checkpoint,
): Promise<Verification & { latency: number }> {
  const gpu = await Gpu.open();
  const { Worker } = globalThis;
  const session = await OnnxSession.open(bytes, "it");
  assertEquals(globalThis.Worker, Worker, "pictures are decoded in workers of the web");
  try {
    using scope = gpu.scope();
    const own = await KernelSession.open(scope, { checkpoint, dataset, batch });
    const [first] = new ValidationBatches({ dataset, batch: 1 });
    return {
      ...await compareLogits([(b) => own.logits(b), (b) => session.logits(b)], { dataset, batch }),
      latency: await session.latency(first, 3),
    };
  } finally {
    await session.close();
    gpu.destroy();
  }
}

for (const [what, network] of Object.entries(NETWORKS)) {
  Deno.test(`onnxruntime gives the logits of a network ${what}`, { ignore }, async () => {
    const checkpoint = checkpointOf(network);
    for (const includeNormalization of [false, true]) {
      const { bytes } = encodeOnnx(checkpoint, { includeNormalization });
      const found = await difference(bytes, checkpoint);
      assert(areEqual(found), `${found.maxDifference}`);
      assertEquals(found.images, 7);
      assert(found.latency > 0);
    }
  });
}

Deno.test("a file of other weights is not equal", { ignore }, async () => {
  const checkpoint = checkpointOf(NETWORKS["cut out of a ResNet"]);
  const state = new Map(checkpoint.state);
  state.set("layer3.0.bn2.bias", state.get("layer3.0.bn2.bias")!.map((v) => v + 0.1));
  const { bytes } = encodeOnnx({ ...checkpoint, state }, { includeNormalization: false });
  assert(!areEqual(await difference(bytes, checkpoint)));
});

Deno.test("norms after convolutions are folded into them, others stay", () => {
  const ops = (name: string): string[] => {
    const network = NETWORKS[name];
    const { state } = checkpointOf(network);
    return onnxGraph({ network, state, image: IMAGE }).nodes.map(({ op }) => op);
  };
  assertEquals(ops("cut out of a ResNet").filter((op) => op === "BatchNormalization"), []);
  const all = ops("of every layer");
  // On the image, after a convolution that more is applied to, after a relu, after a linear layer.
  assertEquals(all.filter((op) => op === "BatchNormalization").length, 4);
  assertEquals(
    [...new Set(all)].sort(),
    [
      ...["Add", "AveragePool", "BatchNormalization", "Conv", "Flatten", "Gather", "Gemm"],
      ...["GlobalAveragePool", "MaxPool", "Relu", "Slice"],
    ],
  );
});

Deno.test("an ONNX file says what its network says, and what it takes", () => {
  const { network: _, state: __, ...info } = checkpointOf(NETWORKS["of pools with gaps"]);
  for (const [includeNormalization, range] of [[true, "pixels"], [false, "normalized"]] as const) {
    const { bytes } = encodeOnnx({ ...checkpointOf(NETWORKS["of pools with gaps"]) }, {
      includeNormalization,
    });
    assertEquals(parseOnnxInfo(bytes, "it"), { ...info, range });
  }
});

Deno.test("the same network gives the same bytes, 1.05 times those of its parameters", () => {
  const network = model("resnet18", { classes: 4 });
  const options = { includeNormalization: false };
  const { bytes, parameterBytes } = encodeOnnx(checkpointOf(network), options);
  assertEquals(bytes, encodeOnnx(checkpointOf(network), options).bytes);
  assert(parameterBytes <= 4 * count(network, IMAGE).params, `${parameterBytes}`);
  assert(bytes.length <= 1.05 * parameterBytes, `${bytes.length} of ${parameterBytes}`);
});

Deno.test("what is no ONNX file of ours is refused", { ignore }, async () => {
  const { network, state, ...info } = checkpointOf(NETWORKS["of pools with gaps"]);
  const { bytes } = encodeOnnx({ network, state, ...info }, { includeNormalization: false });
  for (
    const other of [
      new TextEncoder().encode("not a model"),
      encodeCheckpoint(network, state, info),
      new Uint8Array(0),
    ]
  ) {
    assertThrows(
      () => parseOnnxInfo(other, "it"),
      DataError,
      "Cannot load it: wanted an ONNX model",
    );
  }
  await assertRejects(() => OnnxSession.open(bytes.subarray(0, -9), "it"), DataError, "load it");
});
