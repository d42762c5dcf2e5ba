// Runs a command line in this process on a device that computes nothing and records all it is told,
// so that a test sees what an option does on its whole way: parsing, job, traced step, files, text.
import { createHash, type Hash } from "node:crypto";
import { commandLine } from "../cli/main.ts";
import { Dawn } from "../cli/webgpu/dawn.ts";
import { OnnxSession } from "../export/onnx_session.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { standIn } from "../kernels/gpu/stand_in.ts";
import { replaced } from "./replaced.ts";

/** What a command did. Two runs that did the same are equal in all of it. */
export interface Observation {
  /** The exit code. */
  readonly code: number;
  /** What went to the terminal, errors included. */
  readonly printed: string;
  /**
   * Digests by place: `program` (kernels, their numbers, memory and bindings), `submits`, `write X`
   * for what was sent to the tensor X, `workers` for those that were started, `dawn` where it was opened, `timed` for networks
   * that `compare` times, `file X` and `folder X` for what lies in the folder afterwards; caches are
   * in its folder `cache`.
   */
  readonly places: ReadonlyMap<string, string>;
}

/** Adds up digests by place. */
class Ledger {
  readonly #hashes = new Map<string, Hash>();

  add(place: string, what: string | Uint8Array): void {
    let hash = this.#hashes.get(place);
    if (!hash) this.#hashes.set(place, hash = createHash("sha256"));
    hash.update(what);
  }

  digests(): Map<string, string> {
    return new Map([...this.#hashes].map(([place, hash]) => [place, hash.digest("hex")]));
  }
}

/** The least that WebGPU promises, and what kernels ask for beyond it. */
const LIMITS = {
  maxBufferSize: 2 ** 30,
  maxStorageBufferBindingSize: 2 ** 30,
  maxStorageBuffersPerShaderStage: 16,
  maxStorageTexturesPerShaderStage: 8,
  maxTextureDimension2D: 16384,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupStorageSize: 32768,
};

const INFO = { description: "a recorder", isFallbackAdapter: false };

function bytesOf(data: BufferSource): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** The resource of a bind group in words. */
function inWords(resource: GPUBindingResource): string {
  if (!("buffer" in resource)) return "texture";
  return `${resource.buffer.label} ${resource.offset ?? 0} ${resource.size ?? "all"}`;
}

/** A device that writes down what it is told. */
function recordingDevice(
  ledger: Ledger,
  { submitted, reading }: { submitted: () => void; reading: () => number },
): GPUDevice {
  const none = nullDevice({
    adapterInfo: INFO as GPUAdapterInfo,
    limits: LIMITS as Partial<GPUSupportedLimits> as GPUSupportedLimits,
    features: new Set(["shader-f16"]),
  });
  return Object.assign({}, none, {
    queue: Object.assign({}, none.queue, {
      writeBuffer(buffer: GPUBuffer, offset: number, data: BufferSource): undefined {
        const place = buffer.label.endsWith(" dims") ? "program" : `write ${buffer.label}`;
        ledger.add(place, `${offset} `);
        ledger.add(place, bytesOf(data));
      },
      submit(): undefined {
        ledger.add("submits", ".");
        submitted();
      },
    }),
    createBuffer(made: GPUBufferDescriptor): GPUBuffer {
      ledger.add("program", `${made.label} ${made.size}\n`);
      const getMappedRange = () => new Float32Array(made.size / 4).fill(reading()).buffer;
      return Object.assign(none.createBuffer(made), { getMappedRange });
    },
    createShaderModule(made: GPUShaderModuleDescriptor): GPUShaderModule {
      ledger.add("program", `${made.label} ${made.code}\n`);
      return none.createShaderModule(made);
    },
    createBindGroup(made: GPUBindGroupDescriptor): GPUBindGroup {
      const bound = [...made.entries].map(({ resource }) => inWords(resource));
      ledger.add("program", `${made.label} ${bound.join(", ")}\n`);
      return none.createBindGroup(made);
    },
  });
}

/** The process of a peer of the benches, which answers each request at once. */
class PeerCommand {
  readonly #name: string;

  constructor(_: string, { args = [] }: Deno.CommandOptions) {
    const script = args.at(-1) ?? "";
    const names: Record<string, string> = { "tfjs.ts": "TensorFlow.js", "jax_js.ts": "jax-js" };
    this.#name = names[script] ?? script;
  }

  spawn(): object {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({
      start: (output) => output.enqueue(line({ name: this.#name, version: "1", device: "none" })),
      transform: (_, output) => output.enqueue(line({ check: 1, ms: 1 })),
    });
    const nothing = new ReadableStream({ start: (output) => output.close() });
    return { stdin: writable, stdout: readable, stderr: nothing, status: Promise.resolve({}) };
  }
}

/** Stands for the runtime that `compare` times its networks in: they are written down, not run. */
function timedSession(ledger: Ledger): typeof OnnxSession.open {
  return (bytes) => {
    ledger.add("timed", bytes);
    return Promise.resolve({
      latency: (_batch, runs, timed) => {
        for (let done = 0; done <= runs; done++) timed?.(done);
        return Promise.resolve(0);
      },
      close: () => Promise.resolve(),
    } as Pick<OnnxSession, "latency" | "close"> as OnnxSession);
  };
}

function line(message: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message) + "\n");
}

function addFiles(ledger: Ledger, folder: string, below = ""): void {
  for (const { name, isDirectory } of Deno.readDirSync(`${folder}/${below}`)) {
    const path = `${below}${name}`;
    if (isDirectory) {
      ledger.add(`folder ${path}`, "");
      addFiles(ledger, folder, `${path}/`);
    } else ledger.add(`file ${path}`, Deno.readFileSync(`${folder}/${path}`));
  }
}

/**
 * Does what a command line says, and tells what that was; files are those of `folder`. A submit takes
 * a millisecond, and nothing else takes any time: what is printed of times is the same each time.
 * `reading` is what each reading of the device gives for all that is read, 1 by default.
 */
export async function observe(
  args: readonly string[],
  folder: string,
  reading: () => number = () => 1,
): Promise<Observation> {
  const ledger = new Ledger();
  let milliseconds = 0;
  let printed = "";
  const writeSync = (bytes: Uint8Array): number => {
    printed += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  const submitted = (): void => void milliseconds++;
  const requestAdapter = () =>
    Promise.resolve({
      info: INFO,
      limits: LIMITS,
      features: new Set(["shader-f16"]),
      requestDevice: () => Promise.resolve(recordingDevice(ledger, { submitted, reading })),
    });
  using _ = replaced(navigator.gpu, "requestAdapter", { value: requestAdapter });
  // Dawn takes its place, where that is asked for.
  using _c = replaced(navigator, "gpu", { value: navigator.gpu, writable: true });
  using _d = replaced(Dawn, "open", {
    value: () => {
      ledger.add("dawn", "opened");
      return Promise.resolve(standIn<GPU>({ requestAdapter }));
    },
  });
  using __ = replaced(performance, "now", { value: () => milliseconds });
  using ___ = replaced(Deno, "args", { value: args });
  using ____ = replaced(Deno.stdout, "writeSync", { value: writeSync });
  using _____ = replaced(Deno.stderr, "writeSync", { value: writeSync });
  using ______ = replaced(Deno, "Command", { value: PeerCommand });
  const start = class extends Worker {
    constructor(program: string | URL, options?: WorkerOptions) {
      super(program, options);
      ledger.add("workers", ".");
    }
  };
  using _______ = replaced(globalThis, "Worker", { value: start });
  const variable = Deno.env.get.bind(Deno.env);
  const get = (name: string): string | undefined =>
    name === "XDG_CACHE_HOME" ? `${folder}/cache` : variable(name);
  using ________ = replaced(Deno.env, "get", { value: get });
  using _________ = replaced(Deno.FsFile.prototype, "sync", { value: () => Promise.resolve() });
  using __________ = replaced(Deno.FsFile.prototype, "syncSync", { value: () => {} });
  const { open } = OnnxSession;
  const opens = args[0] === "compare" ? timedSession(ledger) : open;
  using ___________ = replaced(OnnxSession, "open", { value: opens });
  // What goes on until Ctrl+C gets it at once.
  const interrupted = (signal: string, listener: () => void): void => {
    if (signal === "SIGINT") setTimeout(listener);
  };
  const listening = args[0] === "serve" ? interrupted : Deno.addSignalListener;
  const ignoring = args[0] === "serve" ? () => {} : Deno.removeSignalListener;
  using _a = replaced(Deno, "addSignalListener", { value: listening });
  using _b = replaced(Deno, "removeSignalListener", { value: ignoring });
  const before = Deno.exitCode;
  try {
    await commandLine();
    const code = Deno.exitCode;
    addFiles(ledger, folder);
    return { code, printed: printed.replaceAll(folder, "{dir}"), places: ledger.digests() };
  } finally {
    Deno.exitCode = before;
  }
}
