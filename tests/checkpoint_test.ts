import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import { encodeSafetensors, parseSafetensors } from "../data/safetensors.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { model } from "../nn/families/mod.ts";
import { maskTaps } from "../nn/layers/conv2d.ts";
import { type Checkpoint, encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { checkpointOf, NETWORKS, randomState } from "./saved_networks.ts";

function encode({ network, state, ...info }: Checkpoint): Uint8Array {
  return encodeCheckpoint(network, state, info);
}

/** A file with other metadata; `undefined` takes a key away. */
function withMetadata(bytes: Uint8Array, change: Record<string, string | undefined>): Uint8Array {
  const { tensors, metadata } = parseSafetensors(bytes);
  const all = Object.entries({ ...metadata, ...change });
  return encodeSafetensors(
    tensors,
    Object.fromEntries(all.flatMap(([key, text]) => text === undefined ? [] : [[key, text]])),
  );
}

for (const [what, network] of Object.entries(NETWORKS)) {
  Deno.test(`a network ${what} is read back whole`, () => {
    const saved = checkpointOf(network);
    const read = parseCheckpoint(encode(saved), "it");
    assertEquals(read.network, network);
    assertEquals({ ...read, state: 0 }, { ...saved, state: 0 });
    for (const layer of network.layers) {
      if (layer.kind !== "conv2d") continue;
      const name = `${layer.name}.weight`;
      assertEquals(read.state.get(name), maskTaps(layer, saved.state.get(name)!), name);
    }
    const weights = new Set(
      network.layers.flatMap((l) => l.kind === "conv2d" ? [`${l.name}.weight`] : []),
    );
    for (const [name, values] of saved.state) {
      if (!weights.has(name)) assertEquals(read.state.get(name), values, name);
    }
  });
}

Deno.test("taps that are not kept are saved as zeros", () => {
  const network = NETWORKS["of every layer"];
  const { tensors } = parseSafetensors(encode(checkpointOf(network)));
  const weight = tensors.get("conv2.weight")!;
  assertEquals(weight.shape, [9, 7, 5, 5]);
  Array.from(weight.data, Number).forEach((w, i) => assertEquals(w === 0, i % 25 % 3 === 0));
});

Deno.test("files that only name a model are still read", () => {
  const { small, base } = adjoin(model("resnet8", { classes: 4, stem: "authors" }), {
    compression: 3,
    maskingFactor: 0.4,
    random: () => 0.37,
  });
  const keptTaps = Object.fromEntries(
    small.layers.flatMap((l) => l.kind === "conv2d" && l.keptTaps ? [[l.name, l.keptTaps]] : []),
  );
  const adjoined = { compression: 3, trunk: "shared", maskFrom: 2, widths: {}, keptTaps };
  for (
    const [which, network, architecture] of [
      ["base", base, { model: "resnet8", stem: "authors", which: "base" }],
      ["small", small, { model: "resnet8", stem: "authors", which: "small", adjoined }],
    ] as const
  ) {
    const saved = { ...checkpointOf(network), which };
    const old = withMetadata(encode(saved), {
      network: undefined,
      which: undefined,
      architecture: JSON.stringify(architecture),
    });
    assertEquals({ ...parseCheckpoint(old, "old"), state: 0 }, { ...saved, state: 0 });
  }
  const unknown = withMetadata(encode(checkpointOf(base)), {
    network: undefined,
    architecture: JSON.stringify({ model: "resnet9", which: "base" }),
  });
  assertThrows(() => parseCheckpoint(unknown, "old"), DataError, "cannot be built");
});

const BROKEN: readonly (readonly [Record<string, string | undefined>, string])[] = [
  [{ network: "{" }, "Cannot read the network in it: wanted JSON, found {"],
  [
    { network: '{"channels":3,"layers":[{"kind":"relu","inputs":[3]}]}' },
    "Cannot read the network in it: wanted layer 0 (relu) to have 1 input from -1 to -1",
  ],
  [
    { network: undefined },
    "Cannot load it: wanted a network saved by adjoin, found no architecture in its metadata",
  ],
  [
    { which: undefined },
    "wanted base, small or the name of one of several small networks as which in its metadata, found none",
  ],
  [{ which: "tiny" }, "found tiny"],
  [{ classes: undefined }, "found no classes in its metadata"],
  [{ classes: "cat" }, "the classes in its metadata is not JSON"],
  [{ classes: "[1]" }, "wanted names as classes in its metadata, found [1]"],
  [{ classes: '["a"]' }, "wanted a network that tells 1 classes of images with 3 channels apart"],
  [{ image: "[29,23]" }, "wanted height, width and channels as image in its metadata"],
  [{ image: "[29,0,3]" }, "wanted height, width and channels as image"],
  [{ image: "[29,23,1]", mean: "[0]", std: "[1]" }, "with 1 channels apart, found one for 4"],
  [
    { image: "[2,2,3]" },
    "layer 2 (avgPool2d) on images of 2x2: it leaves nothing of its input of 1x1",
  ],
  [{ mean: "[0]" }, "wanted a number for each of 3 channels as mean"],
  [{ mean: '[0,0,"0"]' }, "as mean in its metadata"],
  [{ std: "[1,0,1]" }, "wanted a number for each of 3 channels, above 0, as std"],
  [{ crop_pct: "0" }, "wanted a number above 0, at most 1, as crop_pct in its metadata, found 0"],
  [{ crop_pct: "1.01" }, "at most 1, as crop_pct in its metadata, found 1.01"],
  [{ crop_pct: "most" }, "the crop_pct in its metadata is not JSON"],
  [
    { interpolation: "lanczos" },
    "wanted bilinear or bicubic as interpolation in its metadata, found lanczos",
  ],
  [{ top1: "2" }, "wanted a fraction as top1 in its metadata, found 2"],
];

Deno.test("metadata that are broken are refused in one sentence", () => {
  const bytes = encode(checkpointOf(NETWORKS["of pools with gaps"]));
  for (const [change, says] of BROKEN) {
    const broken = withMetadata(bytes, change);
    const { message } = assertThrows(() => parseCheckpoint(broken, "it"), DataError);
    assertStringIncludes(message, says);
  }
});

Deno.test("tensors that are not those of the network are refused", () => {
  const network = NETWORKS["of pools with gaps"];
  const bytes = encode(checkpointOf(network));
  const { tensors, metadata } = parseSafetensors(bytes);
  tensors.delete("fc.bias");
  const less = encodeSafetensors(tensors, metadata);
  assertThrows(() => parseCheckpoint(less, "it"), DataError, "wanted fc.bias of 4, found none");
  assertThrows(
    () => encode({ ...checkpointOf(network), state: new Map() }),
    TypeError,
    "Cannot save the network: wanted 12 numbers as fc.weight, found none",
  );
});

Deno.test("the accuracy may be unknown", () => {
  const { top1: _, ...rest } = checkpointOf(NETWORKS["of pools with gaps"]);
  assert(!("top1" in parseCheckpoint(encode(rest), "it")));
  assertEquals(randomState(rest.network), rest.state);
});

Deno.test("how pictures are prepared is saved under timm's names, and may be missing", () => {
  const saved = checkpointOf(NETWORKS["of pools with gaps"]);
  const bytes = encode({ ...saved, cropPct: 0.875, interpolation: "bicubic" });
  const { metadata } = parseSafetensors(bytes);
  assertEquals([metadata.crop_pct, metadata.interpolation], ["0.875", "bicubic"]);
  const { cropPct, interpolation } = parseCheckpoint(bytes, "it");
  assertEquals([cropPct, interpolation], [0.875, "bicubic"]);
  const old = parseCheckpoint(
    withMetadata(bytes, { crop_pct: undefined, interpolation: undefined }),
    "it",
  );
  assert(!("cropPct" in old) && !("interpolation" in old));
  assertThrows(
    () => encode({ ...saved, cropPct: 2 }),
    TypeError,
    "Cannot save the network: wanted a number above 0, at most 1, as crop_pct, found 2",
  );
});

Deno.test("weights that are no floats are refused", () => {
  const { tensors, metadata } = parseSafetensors(
    encode(checkpointOf(NETWORKS["cut out of a ResNet"])),
  );
  const { shape, data } = tensors.get("fc.bias")!;
  const bias = { shape, data: Int32Array.from(data, Number) };
  const bytes = encodeSafetensors(
    [...tensors].map(([name, tensor]) => [name, name === "fc.bias" ? bias : tensor] as const),
    metadata,
  );
  const message = "Cannot load it: wanted floats, found I32 in fc.bias";
  assertThrows(() => parseCheckpoint(bytes, "it"), DataError, message);
});
