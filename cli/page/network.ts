// A network in onnxruntime-web, in a browser: of the page of `export --page`, and of `--browser`.
import type { OnnxInfo } from "../../export/onnx.ts";
import {
  floats,
  type Images,
  INPUT_ARRAYS,
  type InputElement,
  inputPlanes,
} from "../../export/onnx_values.ts";
import type { InferenceSession, OnnxRuntime, OnnxTensor } from "../../export/onnxruntime_types.ts";

/** What onnxruntime-web runs a network with. */
export type Provider = "webgpu" | "wasm";

/** The adapter that a browser gives WebGPU. */
export interface Adapter {
  /** In the browser's words. */
  readonly name: string;
  /** Whether it is a program, slower than WebAssembly. */
  readonly software: boolean;
}

/** What is known of a model besides its bytes. */
export type Described = Pick<OnnxInfo, "image" | "normalization" | "range" | "classes">;

/** Where the files of onnxruntime-web lie: the address of their folder, ending in a slash. */
export type RuntimeFolder = string;

/** The part of WebGPU that tells the adapter. */
interface Info {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

/** The adapter of WebGPU; nothing where the browser has none. */
export async function findAdapter(): Promise<Adapter | undefined> {
  if (!("gpu" in navigator)) return undefined;
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (!adapter) return undefined;
  const { vendor, architecture, description, isFallbackAdapter }: Info = adapter.info;
  const name = description || [vendor, architecture].filter(Boolean).join(" ") || "an adapter";
  return { name, software: isFallbackAdapter === true || /swiftshader|llvmpipe/i.test(name) };
}

/** A network that runs. */
export class BrowserNetwork {
  readonly provider: Provider;
  readonly #info: Described;
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;

  private constructor(
    provider: Provider,
    { info, runtime, session }: {
      readonly info: Described;
      readonly runtime: OnnxRuntime;
      readonly session: InferenceSession;
    },
  ) {
    this.provider = provider;
    this.#info = info;
    this.#runtime = runtime;
    this.#session = session;
  }

  /** Compiles a model. Raises onnxruntime's error where the provider cannot run it. */
  static async open(
    model: Uint8Array,
    { info, provider, folder }: {
      readonly info: Described;
      readonly provider: Provider;
      readonly folder: RuntimeFolder;
    },
  ): Promise<BrowserNetwork> {
    const runtime: OnnxRuntime = await import(`${folder}ort.webgpu.bundle.min.mjs`);
    const { wasm } = runtime.env;
    wasm.wasmPaths = { wasm: `${folder}ort-wasm-simd-threaded.asyncify.wasm` };
    // More than one needs headers of the server.
    wasm.numThreads = 1;
    runtime.env.logLevel = "error";
    const options = { executionProviders: [provider] };
    const session = await runtime.InferenceSession.create(model, options);
    return new BrowserNetwork(provider, { info, runtime, session });
  }

  #tensor(images: Images): OnnxTensor {
    const { image: [height, width, channels] } = this.#info;
    const [input] = this.#session.inputMetadata;
    const type = input.isTensor ? input.type : "";
    const element = (Object.keys(INPUT_ARRAYS) as InputElement[]).find((name) => name === type);
    const planes = inputPlanes(images, this.#info, { element });
    const shape = [images.count, channels, height, width];
    return element === "float16"
      ? new this.#runtime.Tensor("float16", new Uint16Array(planes.buffer), shape)
      : new this.#runtime.Tensor(planes as Float32Array | Float64Array, shape);
  }

  /** Logits of images, `[count, classes]`, row-major. */
  async logits(images: Images): Promise<Float32Array> {
    const { inputNames: [input], outputNames: [output] } = this.#session;
    const { [output]: logits } = await this.#session.run({ [input]: this.#tensor(images) });
    const found = floats(await logits.getData());
    if (found?.length === images.count * this.#info.classes.length) return found;
    throw new TypeError(
      `wanted ${this.#info.classes.length} logits for each image, found ${logits.type} of ` +
        `[${logits.dims.join(", ")}]`,
    );
  }

  /** Gives back its memory. */
  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** The softmax of the logits of one image. */
export function probabilities(logits: Float32Array): number[] {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
