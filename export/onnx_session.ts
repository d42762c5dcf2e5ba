import { messageOf } from "../data/message_of.ts";
import type { Batch } from "../data/batches.ts";
import { DataError } from "../data/error.ts";
import { median } from "../data/median.ts";
import { printable } from "../data/printable.ts";
import { type OnnxInfo, parseOnnxInfo } from "./onnx.ts";
import { INPUT, OUTPUT } from "./onnx_graph.ts";
import { floats, INPUT_ARRAYS, type InputElement, inputPlanes } from "./onnx_values.ts";
import { loadRuntime, openSession } from "./onnx_runtime.ts";
import type { InferenceSession, OnnxRuntime, OnnxTensor } from "./onnxruntime_types.ts";
import { type Stopwatch, WALL } from "./stopwatch.ts";

export { RUNTIME } from "./onnx_runtime.ts";

/** The input and the output of a model, as it declares them. */
interface Ports {
  readonly input: string;
  readonly output: string;
  readonly element: InputElement;
  /** Images that it takes at a time; any number where it does not say. */
  readonly batch?: number;
}

/** A reason in onnxruntime's words, of which some are long. */
function inWords(cause: unknown): string {
  return printable(messageOf(cause), 300);
}

function isElement(type: string): type is InputElement {
  return Object.hasOwn(INPUT_ARRAYS, type);
}

/** The one name of a kind: the one that we give, or whatever a converter made of it. */
function oneOf(names: readonly string[], ours: string, what: string): string {
  if (names.includes(ours)) return ours;
  if (names.length === 1) return names[0];
  throw new DataError(
    `wanted an ${what} called ${ours}, or a single one, found ${printable(names.join(", "))}`,
  );
}

/**
 * The input and output that a model declares. Raises a {@link DataError} for one that does not take
 * our images.
 */
function portsOf({ inputMetadata, outputNames }: InferenceSession, info: OnnxInfo): Ports {
  const input = oneOf(inputMetadata.map(({ name }) => name), INPUT, "input");
  const output = oneOf(outputNames, OUTPUT, "output");
  const found = inputMetadata.find(({ name }) => name === input);
  if (!found?.isTensor || !isElement(found.type)) {
    const type = found?.isTensor ? found.type : "no tensor";
    throw new DataError(
      `wanted an input of float32, float16 or float64, found ${type} in ${printable(input)}`,
    );
  }
  const [height, width, channels] = info.image;
  const wanted = [undefined, channels, height, width];
  const { shape, type: element } = found;
  // A size that is a name can be any.
  const fits = shape.length === wanted.length &&
    wanted.every((size, i) => size === undefined || shape[i] === size || !isSize(shape[i]));
  if (!fits) {
    const words = printable(shape.map((size) => isSize(size) ? size : "any").join(", "));
    throw new DataError(
      `wanted an input of [batch, ${channels}, ${height}, ${width}], found [${words}]`,
    );
  }
  return { input, output, element, ...isSize(shape[0]) ? { batch: shape[0] } : {} };
}

function isSize(size: number | string): size is number {
  return typeof size === "number" && size > 0;
}

/** How runs are timed. */
interface Timing {
  /** How many of them. */
  readonly runs: number;
  /** A clock, in milliseconds. Default: that on the wall. */
  readonly now?: Stopwatch;
  /** Is told how many are done. */
  readonly timed?: (done: number) => void;
}

/** An ONNX file in onnxruntime-web's WebAssembly, on one thread. */
export class OnnxSession {
  /** The metadata of the file. */
  readonly info: OnnxInfo;
  readonly #file: string;
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;
  readonly #ports: Ports;

  private constructor(
    { file, info, runtime, session }: {
      file: string;
      info: OnnxInfo;
      runtime: OnnxRuntime;
      session: InferenceSession;
    },
  ) {
    this.info = info;
    this.#file = file;
    this.#runtime = runtime;
    this.#session = session;
    this.#ports = portsOf(session, info);
  }

  /**
   * Opens a model that `encodeOnnx` wrote, also after a converter has fixed its batch, made it
   * float16 or renamed its input or output. Raises a {@link DataError} for bytes that are no model
   * of ours, or that do not run.
   */
  static async open(bytes: Uint8Array, fileName: string): Promise<OnnxSession> {
    const file = printable(fileName, 300);
    const info = parseOnnxInfo(bytes, file);
    const runtime = await loadRuntime();
    let session: InferenceSession;
    try {
      session = await openSession(runtime, bytes);
    } catch (cause) {
      const reason = `onnxruntime-web says ${inWords(cause)}`;
      throw new DataError(`Cannot load ${file}: ${reason}`, { cause });
    }
    try {
      return new OnnxSession({ file, info, runtime, session });
    } catch (cause) {
      await session.release();
      throw new DataError(`Cannot load ${file}: ${inWords(cause)}`, { cause });
    }
  }

  /**
   * Images from `first` on, as the file takes them: `[size, channels, height, width]`. Those beyond
   * `count` are zeros.
   */
  #input(batch: Batch, first: number, size: number): OnnxTensor {
    const { image: [height, width, channels] } = this.info;
    const planes = inputPlanes(batch, this.info, { element: this.#ports.element, first, size });
    const shape = [size, channels, height, width];
    // It has no type for arrays of float16, but takes their bits.
    return planes instanceof Float16Array
      ? new this.#runtime.Tensor("float16", new Uint16Array(planes.buffer), shape)
      : new this.#runtime.Tensor(planes, shape);
  }

  async #run(image: OnnxTensor): Promise<Readonly<Record<string, OnnxTensor>>> {
    try {
      return await this.#session.run({ [this.#ports.input]: image });
    } catch (cause) {
      const reason = `onnxruntime-web says ${inWords(cause)}`;
      throw new DataError(`Cannot run ${this.#file}: ${reason}`, { cause });
    }
  }

  /** Logits of the images of a batch that are meant, `[count, classes]`, row-major. */
  async logits(batch: Batch): Promise<Float32Array> {
    const { count } = batch;
    const classes = this.info.classes.length;
    const all = new Float32Array(count * classes);
    const size = this.#ports.batch ?? count;
    for (let first = 0; first < count; first += size) {
      const found = await this.#run(this.#input(batch, first, size));
      const { dims, type, data } = found[this.#ports.output];
      const numbers = floats(data);
      if (!numbers || dims.join() !== `${size},${classes}`) {
        throw new DataError(
          `Cannot run ${this.#file}: wanted logits of [${size}, ${classes}], found ${type} of ` +
            `[${dims.join(", ")}]`,
        );
      }
      all.set(numbers.subarray(0, Math.min(size, count - first) * classes), first * classes);
    }
    return all;
  }

  /** All values of float32 that the file gives for the images of a batch that are meant, by name. */
  async values(batch: Batch): Promise<ReadonlyMap<string, Float32Array>> {
    const found = await this.#run(this.#input(batch, 0, batch.count));
    return new Map(
      Object.entries(found).flatMap(([name, { data }]) =>
        data instanceof Float32Array ? [[name, data]] : []
      ),
    );
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
    const [, ...times] = await this.#times(batch, { runs: runs + 1, timed });
    timed(runs);
    return median(times);
  }

  /**
   * Milliseconds of each of several sessions for the first image of a batch: the quickest of `runs`,
   * after one more. They take turns, so that what else the machine does holds up none more than others.
   */
  static async latencies(
    sessions: readonly OnnxSession[],
    batch: Batch,
    { runs, now = WALL, timed = () => {} }: Timing,
  ): Promise<number[]> {
    const least = sessions.map(() => Infinity);
    for (let i = 0; i <= runs; i++) {
      timed(Math.max(0, i - 1));
      for (const [k, session] of sessions.entries()) {
        const [time] = await session.#times(batch, { runs: 1, now });
        if (i) least[k] = Math.min(least[k], time);
      }
    }
    timed(runs);
    return least;
  }

  /** Milliseconds of each of some runs on the first image of a batch. */
  async #times(
    batch: Batch,
    { runs, now = WALL, timed = () => {} }: Timing,
  ): Promise<number[]> {
    const image = this.#input({ ...batch, count: 1 }, 0, this.#ports.batch ?? 1);
    const times: number[] = [];
    for (let i = 0; i < runs; i++) {
      timed(Math.max(0, i - 1));
      const start = now();
      await this.#run(image);
      times.push(now() - start);
    }
    return times;
  }

  /** Frees its memory. */
  async close(): Promise<void> {
    await this.#session.release();
  }
}
