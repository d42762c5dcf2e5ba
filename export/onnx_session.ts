import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { Batch } from "../data/batches.ts";
import { DataError } from "../data/error.ts";
import { median } from "../data/median.ts";
import { INPUT, OUTPUT } from "./onnx_graph.ts";
import { type OnnxInfo, parseOnnxInfo } from "./onnx.ts";

// One thread, so that times compare and nothing is left running.
env.wasm.numThreads = 1;
env.logLevel = "error";

/** The version of onnxruntime-web. */
export const RUNTIME: string = env.versions.web ?? "";

/** An ONNX file in onnxruntime-web's WebAssembly, on one thread. */
export class OnnxSession {
  /** What the file says. */
  readonly info: OnnxInfo;
  readonly #session: InferenceSession;

  private constructor(info: OnnxInfo, session: InferenceSession) {
    this.info = info;
    this.#session = session;
  }

  /** Raises a {@link DataError} for bytes that are no model of ours, or that do not run. */
  static async open(bytes: Uint8Array, file: string): Promise<OnnxSession> {
    const info = parseOnnxInfo(bytes, file);
    try {
      const options = { executionProviders: ["wasm"] };
      return new OnnxSession(info, await InferenceSession.create(bytes, options));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DataError(`Cannot load ${file}: onnxruntime-web says ${reason}`, { cause });
    }
  }

  /** Images as the file takes them: `[count, channels, height, width]`. */
  #input({ pixels, count }: Batch): Tensor {
    const { image: [height, width, channels], normalization: { mean, std }, range } = this.info;
    const area = height * width;
    const planes = new Float32Array(count * channels * area);
    for (let plane = 0; plane < count * channels; plane++) {
      const c = plane % channels;
      const [m, s] = range === "pixels" ? [0, 1] : [255 * mean[c], 255 * std[c]];
      const first = (plane - c) * area + c;
      for (let i = 0; i < area; i++) {
        planes[plane * area + i] = (pixels[first + i * channels] - m) / s;
      }
    }
    return new Tensor("float32", planes, [count, channels, height, width]);
  }

  /** Logits of the images of a batch that are meant, `[count, classes]`, row-major. */
  async logits(batch: Batch): Promise<Float32Array> {
    const { [OUTPUT]: logits } = await this.#session.run({ [INPUT]: this.#input(batch) });
    return Float32Array.from(logits.data as Float32Array);
  }

  /**
   * Milliseconds for the first image of a batch: the median of `runs`, after one more. `timed` is told
   * how many are done.
   */
  async latency(
    batch: Batch,
    runs: number,
    timed: (done: number) => void = () => {},
  ): Promise<number> {
    const feeds = { [INPUT]: this.#input({ ...batch, count: 1 }) };
    const times: number[] = [];
    for (let i = 0; i <= runs; i++) {
      timed(Math.max(0, i - 1));
      const start = performance.now();
      await this.#session.run(feeds);
      if (i) times.push(performance.now() - start);
    }
    timed(runs);
    return median(times);
  }

  /** Frees its memory. */
  async close(): Promise<void> {
    await this.#session.release();
  }
}
