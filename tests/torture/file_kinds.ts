// The kinds of files that are mutated: whole ones, how they are changed, and what reads them.
import { readArguments } from "../../cli/arguments.ts";
import { trainRequest } from "../../cli/options.ts";
import { parseKept } from "../../cli/report_page/kept_report.ts";
import { resumedOptions } from "../../cli/resumed_options.ts";
import { parseImagesConfig } from "../../cli/run/images_config.ts";
import { parseLatencies } from "../../cli/run/latency_cache.ts";
import { parseTiles } from "../../cli/run/tile_cache.ts";
import { parseCifar10, parseCifar100 } from "../../data/cifar.ts";
import { DataError } from "../../data/error.ts";
import { parseJson } from "../../data/json.ts";
import { idxDataset, parseIdx } from "../../data/idx.ts";
import { readIdx } from "../../data/idx_file.ts";
import type { Random } from "../../data/random.ts";
import { encodeSafetensors } from "../../data/safetensors.ts";
import { encodeCheckpoint, parseCheckpoint } from "../../export/checkpoint.ts";
import type { CheckpointInfo } from "../../export/metadata.ts";
import { encodeOnnx, parseOnnxInfo } from "../../export/onnx.ts";
import { readOnnx } from "../../export/onnx_read/read_onnx.ts";
import { encodeWidths, parseWidths } from "../../export/widths_file.ts";
import { Choices } from "../../kernels/conv/choices.ts";
import { adjoin } from "../../nn/compress/adjoin.ts";
import { type Network, network } from "../../nn/network.ts";
import { model } from "../../nn/families/mod.ts";
import { parseGiven } from "../../train/given.ts";
import { UsageError } from "../../train/errors.ts";
import { pairsFor } from "../../train/pair.ts";
import { parseNetworks } from "../../train/resume/state_networks.ts";
import { encodeTrainingState } from "../../train/resume/training_state.ts";
import { withHeader, withMetadata } from "../file_tricks.ts";
import { gzip, idx } from "../idx_files.ts";
import { madeKept } from "../made_report.ts";
import { GraphFile } from "../onnx_graph_file.ts";
import { joined } from "../../data/safetensors.ts";
import { stateOfRun } from "../run_states.ts";
import { randomState } from "../saved_networks.ts";
import { parseSafetensors } from "../../data/safetensors.ts";
import { mutatedJson } from "./json_mutation.ts";
import { mutatedModel } from "./onnx_mutation.ts";
import { mutatedBytes, spliced } from "./mutation.ts";

/** What a file is called where it is refused. */
export const NAME = "mutated.file";

/** One kind of files. */
export interface FileKind {
  readonly name: string;
  /** How many are read where all are. */
  readonly count: number;
  /** Bytes that a reader takes before it knows how many there are. */
  readonly firstRoom?: number;
  /** Whole files; the first ones are taken more often. */
  readonly files: readonly Uint8Array[];
  /** A file with a mutation of its structure. Raises a `SyntaxError` where it has none left. */
  mutate?(file: Uint8Array, random: Random): Uint8Array;
  /** Reads a file. Raises a {@link DataError} for one that is refused. */
  read(bytes: Uint8Array<ArrayBuffer>): unknown;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A safetensors file with a mutated header; its length and the data mostly fit. */
function mutatedHeader(file: Uint8Array, random: Random): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header = encoder.encode(mutatedJson(decoder.decode(file.subarray(8, start)), random));
  const length = BigInt(header.length);
  const body = file.subarray(start);
  const less = random.integer(8) ? body.length : random.integer(body.length + 1);
  const bytes = new Uint8Array(8 + header.length + less);
  const wrong = random.integer(16) ? 0n : BigInt(random.integer(17)) - 8n;
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, length + wrong), true);
  bytes.set(header, 8);
  bytes.set(body.subarray(0, less), 8 + header.length);
  return bytes;
}

function mutatedText(file: Uint8Array, random: Random): Uint8Array {
  return encoder.encode(mutatedJson(decoder.decode(file), random));
}

function textFiles(...values: readonly (string | object)[]): Uint8Array[] {
  return values.map((value) =>
    encoder.encode(typeof value === "string" ? value : JSON.stringify(value))
  );
}

function safetensors(): Uint8Array[] {
  const float = new Float32Array([1, -2, 3.5, 0, 1e-9, -7]);
  const other = (dtype: string, shape: number[], bytes: number) =>
    withHeader(JSON.stringify({ x: { dtype, shape, data_offsets: [0, bytes] } }), bytes);
  return [
    encodeSafetensors([
      ["module.conv1.weight", { shape: [1, 2, 3, 1], data: float }],
      ["conv1.bias", { shape: [], data: new Float32Array(1) }],
      ["bn.num_batches_tracked", { shape: [1], data: new BigInt64Array(1) }],
      ["none", { shape: [0, 4], data: new Float32Array() }],
    ], { format: "pt", note: "a\nb" }),
    encodeSafetensors([
      ["a", { shape: [2], data: new Float64Array(2) }],
      ["b", { shape: [3], data: new Int32Array(3) }],
      ["c", { shape: [2, 2], data: new Uint16Array(4) }],
      ["d", { shape: [5], data: new Uint8Array(5) }],
    ]),
    other("F16", [3], 6),
    other("BF16", [2, 2], 8),
    other("F8_E4M3", [9], 9),
    withHeader("{}"),
  ];
}

const INFO = {
  ...{ which: "base", classes: ["cat", "T-shirt/top"], image: [6, 5, 3] },
  normalization: { mean: [0.4, 0.5, 0.6], std: [0.25, 0.2, 0.3] },
  ...{ top1: 0.75, cropPct: 0.875, interpolation: "bicubic" },
} as const satisfies CheckpointInfo;

function tiny(): Network {
  const made = network({ channels: 3 }, (n) => {
    n.stage(0);
    let x = n.conv2d(n.image, { name: "conv1", out: 4, kernel: 3, stride: 2 });
    x = n.relu(n.batchNorm(x, { name: "bn1" }));
    x = n.add(x, n.narrow(n.conv2d(x, { name: "conv2", out: 5, kernel: 1 }), 4));
    x = n.concat([x, n.maxPool2d(x, { kernel: 3, stride: 1, padding: 1 })]);
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 2 });
  });
  const keptTaps = [true, false, true, true, true, true, false, true, true];
  return {
    ...made,
    layers: made.layers.map((layer) =>
      layer.kind === "conv2d" && layer.name === "conv1" ? { ...layer, keptTaps } : layer
    ),
  };
}

function checkpoints(): Uint8Array[] {
  const own = tiny();
  const whole = encodeCheckpoint(own, randomState(own), INFO);
  const base = model("resnet8", { classes: 2 });
  const adjoined = { compression: 3, trunk: "shared", maskFrom: 2, widths: {}, keptTaps: {} };
  const { small } = adjoin(base, { compression: 3, trunk: "shared", maskFrom: 2 });
  const old = (made: Network, architecture: object) =>
    withMetadata(parseSafetensors(encodeCheckpoint(made, randomState(made), INFO)), {
      network: undefined,
      which: undefined,
      architecture: JSON.stringify(architecture),
    });
  // Most mutations of an old file are refused before its tensors are looked at.
  const lists = { ...adjoined, widths: { "layer2.0.conv1": [1, 0, 7], "layer3.0.conv1": 2 } };
  const { small: listed } = adjoin(base, { compression: 3, maskFrom: 2, widths: lists.widths });
  const short = withMetadata({ tensors: new Map(), metadata: parseSafetensors(whole).metadata }, {
    network: undefined,
    architecture: JSON.stringify({ model: "resnet8", stem: "cifar", which: "small", adjoined }),
  });
  return [
    whole,
    short,
    old(small, { model: "resnet8", which: "small", adjoined }),
    old(listed, { model: "resnet8", which: "small", adjoined: lists }),
  ];
}

function trainingStates(): Uint8Array[] {
  const { state } = stateOfRun(["--model", "resnet8"]);
  const tensors = new Map<string, Float32Array | Uint32Array>([
    ["parameters/conv1.0.weight", new Float32Array(6)],
    ["statistics/bn1.running_var", new Float32Array(2)],
    ["gates", new Uint32Array(3)],
  ]);
  const widths = { "layer2.0.conv1": [3, 1, 4], "layer3.0.conv2": 9 };
  const chosen = stateOfRun(["--model", "resnet8"], { widths }).state;
  return [
    joined(encodeTrainingState({ ...state, tensors })),
    joined(encodeTrainingState(state)),
    joined(encodeTrainingState(chosen)),
  ];
}

/** One record of each set; labels are within both. */
function cifarFiles(): Uint8Array[] {
  return [1, 2, 1].map((count, i) => {
    const bytes = new Uint8Array(count * (i === 2 ? 3074 : 3073));
    bytes.forEach((_, at) => bytes[at] = at % 251);
    for (let k = 0; k < count; k++) bytes.set(i === 2 ? [3, 20] : [k], k * (bytes.length / count));
    return bytes;
  });
}

/** Images, and their labels behind them. */
function idxPair(shape: number[]): Uint8Array {
  const images = idx(shape, Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i));
  const labels = idx([shape[0]], Array.from({ length: shape[0] }, (_, i) => i % 3));
  return spliced(labels, 0, 0, images);
}

function readIdxPair(bytes: Uint8Array): unknown {
  const array = (part: Uint8Array) => parseIdx(part, NAME);
  const labels = bytes.length - 4 - 4 - 3;
  if (labels < 0) return array(bytes);
  return idxDataset({
    name: NAME,
    images: array(bytes.subarray(0, labels)),
    labels: array(bytes.subarray(labels)),
  });
}

/** Reads packed images on disk, all of them, then two. */
async function readPacked(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: NAME });
  await Deno.writeFile(path, bytes);
  try {
    const { shape: [length] } = await readIdx(path);
    if (length > 1) await readIdx(path, new Uint32Array([0, length - 1]));
  } finally {
    await Deno.remove(path);
  }
}

function onnxFiles(): Uint8Array[] {
  const own = tiny();
  const checkpoint = { ...INFO, network: own, state: randomState(own) };
  return [true, false].map((includeNormalization) =>
    encodeOnnx(checkpoint, { includeNormalization }).bytes
  );
}

/** Graphs with patterns of several nodes, constants that are computed, and a norm. */
function graphFiles(): Uint8Array[] {
  return [11, 17].map((opset) => {
    const g = new GraphFile([1, 3, 6, 6], opset);
    const a = g.node("Relu", [g.norm(g.conv(g.image, "a", [4, 3, 3, 3]), "n", 4)]);
    const half = g.node("Slice", [a, g.wholes([2]), g.wholes([4]), g.wholes([1])]);
    const b = g.node("Concat", [g.node("Mul", [half, g.node("Sigmoid", [half])]), a], { axis: 1 });
    const size = g.node("Gather", [g.node("Shape", [b]), g.wholes([1])]);
    const grouped = g.node("Concat", [g.wholes([1, 2, 3]), g.wholes([4, 4])], { axis: 0 });
    const swapped = g.node("Transpose", [g.node("Reshape", [b, grouped])], {
      perm: [0, 2, 1, 3, 4],
    });
    const back = g.node("Concat", [g.wholes([1]), size, g.wholes([4, 4])], { axis: 0 });
    const pooled = g.node("MaxPool", [g.node("Reshape", [swapped, back])], {
      kernel_shape: [2, 2],
    });
    return g.bytes(g.linear(g.node("Flatten", [pooled]), "fc", 54, 2), { classes: 2 });
  });
}

const RESNET8 = model("resnet8", { classes: 2 });

/** Reads widths, and makes a pair of them, which names what is none of the network. */
function readWidths(bytes: Uint8Array): unknown {
  const { widths } = parseWidths(decoder.decode(bytes), NAME);
  try {
    return adjoin(RESNET8, { compression: 1, widths });
  } catch (error) {
    // Who names a layer that there is not typed it.
    if (error instanceof RangeError && error.message.startsWith("Cannot adjoin: ")) return;
    throw error;
  }
}

const WIDTHS = encodeWidths(
  {
    ...{ model: "resnet8", stem: "cifar", variant: "xresnet", trunk: "separate", maskFrom: 2 },
    ...{ divisors: [1, 2, 4], budgeted: "macs", budget: 0.5, found: 0.49 },
    widths: { "layer2.0.conv1": 16, "layer3.0.conv2": 24 },
  } as const,
);

const RUN = stateOfRun(["--model", "resnet8"]).state;

/** Options of a run that goes on, as its checkpoint has them. */
function readResumed(bytes: Uint8Array): unknown {
  let config: unknown;
  try {
    config = parseJson(decoder.decode(bytes));
  } catch {
    // The checkpoint that has them is refused.
  }
  if (typeof config !== "object" || config === null) return;
  const place = { path: "runs/a", work: "runs/a", file: NAME, last: RUN, history: [] };
  try {
    const found = { ...place, state: RUN, config: { ...config } };
    const { parsed, widths } = resumedOptions("train", [], found);
    const { options } = trainRequest(parsed, widths);
    return pairsFor(options, { classes: ["a", "b"], channels: 3 })[0];
  } catch (error) {
    // Options that do not go together, as where they are typed.
    const typed = error instanceof UsageError || error instanceof RangeError;
    if (typed && error.message.startsWith("Cannot ")) throw new DataError(error.message);
    throw error;
  }
}

/** All options of a run, with widths. */
function resumedConfig(): object {
  const { config } = trainRequest(readArguments("train", ["--model", "resnet8"]));
  return { ...config, widths: { "layer2.0.conv1": 8, "layer3.0.conv1": [5, 0, 16] } };
}

const CONFIG = {
  ...{ command: "train", dataset: "idx", dataDir: "/data/fashion", seed: 3, valSize: 100 },
  ...{ valSplit: 0.1, widths: { "layer2.0.conv1": 8 }, epochs: 3, lr: 0.1, model: "resnet8" },
};

const LATENCIES = { "onnxruntime-web 1.30.0": { "8x8x3 []": 0.04, "8x8x16 [{}]": 1 } };

const TILES = {
  "a GPU": { "forward 3x3 16 16": "64x64x16", constructor: "16x16x16" },
  other: { w: "128x64x16" },
};

/** All kinds. */
export async function fileKinds(): Promise<FileKind[]> {
  const packed = await Promise.all([
    gzip(idx([3, 4, 4], Array.from({ length: 48 }, (_, i) => i))),
    gzip(idx([300, 20, 20], Array<number>(120_000).fill(0))),
  ]);
  return [
    {
      ...{ name: "safetensors", count: 1_000_000, files: safetensors(), mutate: mutatedHeader },
      read: (bytes) => parseGiven(bytes, NAME),
    },
    {
      ...{ name: "CIFAR", count: 100_000, files: cifarFiles() },
      read: (bytes) =>
        bytes.length % 3074 === 0 ? parseCifar100(bytes, NAME) : parseCifar10(bytes, NAME),
    },
    {
      ...{ name: "IDX", count: 100_000 },
      files: [idxPair([3, 2, 2]), idxPair([3, 2, 3, 3])],
      read: readIdxPair,
    },
    { name: "packed IDX", count: 10_000, firstRoom: 2 ** 20, files: packed, read: readPacked },
    {
      ...{ name: "network", count: 100_000, files: checkpoints(), mutate: mutatedHeader },
      read: (bytes) => parseCheckpoint(bytes, NAME),
    },
    {
      ...{ name: "checkpoint", count: 100_000, files: trainingStates(), mutate: mutatedHeader },
      read: (bytes) => parseNetworks(bytes, NAME),
    },
    {
      ...{ name: "config.json", count: 100_000, files: textFiles(CONFIG), mutate: mutatedText },
      read: (bytes) => parseImagesConfig(decoder.decode(bytes), NAME),
    },
    {
      ...{ name: "resumed options", count: 20_000, mutate: mutatedText },
      ...{ files: textFiles(resumedConfig()), read: readResumed },
    },
    {
      ...{ name: "widths.json", count: 100_000, mutate: mutatedText, read: readWidths },
      files: textFiles(WIDTHS, { "layer2.0.conv1": 8, "layer3.0.conv1": [0, 31, 4] }),
    },
    {
      ...{ name: "tiles.json", count: 100_000, files: textFiles(TILES), mutate: mutatedText },
      read: (bytes) => new Choices().load("a GPU", parseTiles(decoder.decode(bytes))),
    },
    {
      ...{ name: "latencies.json", count: 100_000, mutate: mutatedText },
      files: textFiles(LATENCIES),
      read: (bytes) => parseLatencies(decoder.decode(bytes)),
    },
    {
      ...{ name: "report.json", count: 20_000, mutate: mutatedText },
      files: textFiles(madeKept(["base", "small"], ["cat", "dog", "fox"])),
      read: (bytes) => parseKept(decoder.decode(bytes), NAME),
    },
    {
      ...{ name: "ONNX", count: 100_000, files: onnxFiles() },
      read: (bytes) => parseOnnxInfo(bytes, NAME),
    },
    {
      ...{ name: "network of ONNX", count: 100_000, mutate: mutatedModel },
      files: [...graphFiles(), ...onnxFiles()],
      read: (bytes) => readOnnx(bytes, NAME),
    },
  ];
}

/** A file of a kind with mutations, the same for the same random numbers. */
export function mutatedFile({ files, mutate }: FileKind, random: Random): Uint8Array<ArrayBuffer> {
  // Large files take long: they come last, and are taken seldom.
  const pick = () =>
    files[random.integer(random.integer(8) ? Math.ceil(files.length / 2) : files.length)];
  const file = pick();
  let bytes = file;
  const structured = mutate !== undefined && random.integer(10) < 6;
  if (structured) bytes = mutate(file, random);
  if (!structured || random.integer(20) === 0) bytes = mutatedBytes(bytes, random, pick());
  return new Uint8Array(bytes);
}
