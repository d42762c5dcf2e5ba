// Saved networks that say what pictures show: ONNX in onnxruntime-web, safetensors on adjoin's kernels.
import {
  Classifier,
  type FoundClass,
  Gpu,
  type Normalization,
  parseCheckpoint,
  picturePreparation,
  type Pixels,
  prepare,
  withChannels,
} from "@adjoin/adjoin";
import { env, InferenceSession, Tensor } from "onnxruntime-web/webgpu";
import { onnxMetadata } from "./onnx_metadata.ts";

/** What a network runs on. */
export type Provider = "adjoin" | "webgpu" | "wasm";

/** A network that is ready. */
export interface Runner {
  readonly classes: readonly string[];
  /** Height, width and channels of what it is shown. */
  readonly image: readonly [height: number, width: number, channels: number];
  /** Part of the validation images that it told rightly. */
  readonly top1?: number;
  /** The most probable classes of a picture of any size, the most probable first. */
  classify(picture: Pixels): Promise<FoundClass[]>;
  close(): Promise<void> | void;
}

/** `small.safetensors` of a run, on the kernels that have trained it. */
async function openSafetensors(file: Uint8Array): Promise<Runner> {
  const gpu = await Gpu.open();
  const network = parseCheckpoint(file, "the network");
  const classifier = await Classifier.open(gpu, network);
  return {
    ...network,
    classify: (picture) => classifier.classify(picture, { top: network.classes.length }),
    close: () => gpu.destroy(),
  };
}

function softmax(logits: readonly number[]): number[] {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/** What the metadata of an exported network say of it. */
interface Info extends Pick<Runner, "classes" | "image" | "top1"> {
  readonly normalization: Normalization;
  /** Whether it takes pixels from 0 to 255, or normalised ones. */
  readonly pixels: boolean;
  readonly cropPct?: number;
  readonly interpolation?: "bilinear" | "bicubic";
}

function infoOf(file: Uint8Array): Info {
  const found = onnxMetadata(file);
  if (!found.has("range")) throw new TypeError("the ONNX file is none of deno task export");
  const text = (key: string): string => found.get(key) ?? "";
  const number = (key: string): number | undefined => found.has(key) ? +text(key) : undefined;
  return {
    classes: JSON.parse(text("classes")),
    image: JSON.parse(text("image")),
    normalization: { mean: JSON.parse(text("mean")), std: JSON.parse(text("std")) },
    pixels: text("range") === "pixels",
    top1: number("top1"),
    cropPct: number("crop_pct"),
    interpolation: text("interpolation") === "bicubic" ? "bicubic" : "bilinear",
  };
}

/** `small.onnx` of an export. */
async function openOnnx(file: Uint8Array, provider: "webgpu" | "wasm"): Promise<Runner> {
  const info = infoOf(file);
  const { classes, image: [height, width, channels], normalization: { mean, std }, pixels } = info;
  env.wasm.wasmPaths = { wasm: new URL("ort.wasm", location.href).href };
  // More than one needs headers of the server.
  env.wasm.numThreads = 1;
  const session = await InferenceSession.create(file, { executionProviders: [provider] });
  const preparation = picturePreparation(info);
  const area = height * width;
  return {
    ...info,
    async classify(picture) {
      const prepared = prepare(withChannels(picture, preparation.channels), preparation);
      // From [height, width, channels] to [channels, height, width].
      const planes = Float32Array.from({ length: channels * area }, (_, i) => {
        const c = Math.floor(i / area);
        const value = prepared.pixels[(i % area) * channels + c];
        return pixels ? value : (value / 255 - mean[c]) / std[c];
      });
      const tensor = new Tensor("float32", planes, [1, channels, height, width]);
      const { logits } = await session.run({ image: tensor });
      const shares = softmax(Array.from(await logits.getData() as Float32Array));
      return shares.map((probability, i) => ({ class: classes[i], probability }))
        .sort((a, b) => b.probability - a.probability);
    },
    close: () => session.release(),
  };
}

/** Files of one network, by what they are. */
export interface Files {
  readonly onnx?: Uint8Array;
  readonly safetensors?: Uint8Array;
}

/** What can run these files here, the fastest first. */
export async function providersOf({ onnx, safetensors }: Files): Promise<Provider[]> {
  const adapter = "gpu" in navigator ? await navigator.gpu.requestAdapter() : null;
  const gpu: Provider[] = [
    ...adapter && safetensors ? ["adjoin" as const] : [],
    ...adapter && onnx ? ["webgpu" as const] : [],
  ];
  const cpu: Provider[] = onnx ? ["wasm"] : [];
  // An adapter without a GPU is slower than WebAssembly.
  return adapter?.info.isFallbackAdapter ? [...cpu, ...gpu] : [...gpu, ...cpu];
}

/** Opens a network on one of {@link providersOf}. */
export async function open({ onnx, safetensors }: Files, provider: Provider): Promise<Runner> {
  if (provider === "adjoin") {
    if (safetensors) return await openSafetensors(safetensors);
  } else if (onnx) return await openOnnx(onnx, provider);
  throw new TypeError("there is no file of the network for this");
}
