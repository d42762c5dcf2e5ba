/// <reference types="@webgpu/types" />
import type { Abilities, MatrixUnits } from "./abilities.ts";
import { isLlvmpipe, mostIterations } from "./adapter.ts";
import type { Assembled } from "./assemble.ts";
import { DeviceErrors } from "./device_errors.ts";
import type { DevicePreset } from "./device_preset.ts";
import { GpuError, OutOfMemoryError } from "./gpu_error.ts";
import { CHANNEL_QUADS } from "./kernel.ts";
import { openDevice, type OpenedDevice, type Origin } from "./open_device.ts";
import { compile, type Pipeline } from "./pipeline.ts";
import { type Elements, numbersAt, type Storage, type Tensor, unpad } from "./tensor.ts";
import { TEXTURE_WIDTH, textureOf } from "./texture.ts";
import { USAGE } from "./usage.ts";
import { deal, warmUp } from "./warm_up.ts";
import { QUEUE_BYTES } from "./work_queue.ts";

/** New kernels from which on several devices share in compiling them, and the most devices. */
const MANY_KERNELS = 8;
const MOST_COMPILERS = 4;

/**
 * Bytes behind those asked for: any range may be bound as a per-channel uniform, which has a fixed
 * length, or copied to a texture in whole rows.
 */
const BEHIND = Math.max(CHANNEL_QUADS, TEXTURE_WIDTH) * 16;

/** The most workgroups that the two dimensions of a dispatch can hold. */
const MAX_WORKGROUPS = 65535 * 65535;

/** GPU memory in use. */
export interface Live {
  /** The number of buffers and textures. */
  readonly buffers: number;
  /** Their bytes, padding included. */
  readonly bytes: number;
}

/** A device, its compiled kernels, and an account of all memory taken from it. */
export class Device {
  /** The device that everything runs on. */
  readonly device: GPUDevice;
  /** The shape of kernels for this adapter. */
  readonly preset: DevicePreset;
  /** The lanes of a subgroup that load for one another by subgroup broadcasts; 0 where none do. */
  readonly broadcast: number;
  /** What kernels may use, and what WGSL has to say for it. */
  readonly abilities: Abilities;
  /** The adapter's own words for itself. */
  readonly adapter: string;
  /** The largest grid of a dispatch, in workgroups. */
  readonly maxWorkgroups: number;
  /** The work queue that workgroups take their work from; it belongs to no scope. */
  readonly workQueue: GPUBuffer;
  readonly #origin: Origin | null;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #errors: DeviceErrors;
  readonly #live = new Map<GPUBuffer | GPUTexture, number>();
  readonly #everOwned = new WeakSet<GPUBuffer | GPUTexture>();
  #destroyed = false;
  #bytes = 0;
  #peak = 0;

  /**
   * Wraps a device that {@link openDevice} has opened. Raises a `RangeError` unless `maxWorkgroups`
   * is a whole number from 1 on.
   */
  constructor(
    { device, adapter, preset, broadcast, abilities, origin }: OpenedDevice,
    maxWorkgroups: number = MAX_WORKGROUPS,
  ) {
    checkMaxWorkgroups(maxWorkgroups);
    this.device = device;
    this.adapter = adapter;
    this.preset = preset;
    this.broadcast = broadcast;
    this.abilities = abilities;
    this.maxWorkgroups = maxWorkgroups;
    this.#errors = new DeviceErrors(device, { adapter, live: () => this.#bytes });
    const usage = USAGE.STORAGE;
    this.workQueue = this.#errors.allocate(
      "work queue",
      QUEUE_BYTES,
      () => device.createBuffer({ label: "work queue", size: QUEUE_BYTES, usage }),
    );
    this.#origin = origin;
  }

  /** Buffers and textures taken and not given back, and their bytes. */
  live(): Live {
    return { buffers: this.#live.size, bytes: this.#bytes };
  }

  /** The most bytes that were ever in use at once. */
  get peak(): number {
    return this.#peak;
  }

  /** The most iterations that all loops of an invocation may come to. */
  get iterations(): number {
    return Math.min(this.preset.iterations ?? Infinity, mostIterations(this.adapter));
  }

  /** The most bytes that a buffer may hold. */
  get largestBuffer(): number {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    return Math.min(maxBufferSize - BEHIND, maxStorageBufferBindingSize);
  }

  /** The matrix units that kernels may use; null where there are none. */
  get matrixUnits(): MatrixUnits | null {
    return this.abilities.matrixUnits;
  }

  /** Whether kernels may hold half floats. */
  get hasHalves(): boolean {
    return this.device.features.has("shader-f16");
  }

  /** Raises a {@link GpuError} where kernels cannot hold half floats. */
  demandHalves(): void {
    if (this.hasHalves) return;
    throw new GpuError(
      `Cannot keep half floats on ${this.adapter}: wanted the feature shader-f16, found none of that ` +
        `name; keep to float32`,
    );
  }

  /** Takes a buffer, to be given back with {@link free}. */
  takeBuffer(name: string, bytes: number): GPUBuffer {
    this.#demandAlive();
    this.#refuseOversize(name, bytes, this.largestBuffer);
    const size = Math.ceil(bytes / 16) * 16 + BEHIND;
    const usage = USAGE.STORAGE | USAGE.UNIFORM | USAGE.COPY_SRC | USAGE.COPY_DST;
    return this.ownBuffer({ label: name, size, usage });
  }

  /** Takes a buffer of this description, to be given back with {@link free}. */
  ownBuffer(made: GPUBufferDescriptor & { readonly label: string }): GPUBuffer {
    const { label, size } = made;
    const buffer = this.#errors.allocate(label, size, () => this.device.createBuffer(made));
    return this.own(buffer, size);
  }

  /** Takes a texture for rows of {@link TEXTURE_WIDTH} vec4, to be given back with {@link free}. */
  takeTexture(name: string, rows: number): GPUTexture {
    this.#demandAlive();
    const texture = textureOf(name, rows);
    const { size: { width, height } } = texture;
    const bytes = width * height * 16;
    const limit = this.device.limits.maxTextureDimension2D * width * 16;
    this.#refuseOversize(name, bytes, limit);
    const made = this.#errors.allocate(name, bytes, () => this.device.createTexture(texture));
    return this.own(made, bytes);
  }

  #refuseOversize(name: string, bytes: number, limit: number): void {
    if (bytes <= limit) return;
    const failed = { what: name, asked: bytes, live: this.#bytes };
    throw new OutOfMemoryError(failed, `the limit of ${this.adapter} is ${limit}`);
  }

  /**
   * Adds memory that was made on {@link device} to the account, to be given back with {@link free}.
   */
  own<T extends GPUBuffer | GPUTexture>(memory: T, bytes: number): T {
    this.#live.set(memory, bytes);
    this.#everOwned.add(memory);
    this.#bytes += bytes;
    this.#peak = Math.max(this.#peak, this.#bytes);
    return memory;
  }

  /** Whether memory was taken here and not given back. */
  owns(memory: GPUBuffer | GPUTexture): boolean {
    return this.#live.has(memory);
  }

  /**
   * Where a tensor lies that is alive outside programs. Raises a `TypeError` for one that is not: of
   * a trace, of a scope that has ended, of another GPU. `where` says what it is used for.
   */
  storageOf(tensor: Tensor, where = ""): Storage {
    const { storage } = tensor;
    const problem = tensor.temporary
      ? " outside its trace: keep() it while tracing"
      : storage && this.#live.has(storage.buffer)
      ? undefined
      : storage && !this.#everOwned.has(storage.buffer)
      ? ": it belongs to another GPU; make it in a scope of this one"
      : ": its scope has ended; make it in a scope that lasts as long as it is used";
    if (storage && problem === undefined) return storage;
    throw new TypeError(`Cannot use tensor ${tensor.name}${where}${problem}`);
  }

  #demandAlive(): void {
    if (this.#destroyed) {
      throw new GpuError("Cannot use a GPU that was destroyed; open another one");
    }
  }

  /** Gives memory back. */
  free(memory: GPUBuffer | GPUTexture): void {
    const bytes = this.#live.get(memory);
    if (bytes === undefined) return;
    this.#live.delete(memory);
    this.#bytes -= bytes;
    memory.destroy();
  }

  /**
   * The compiled kernel, from the cache when it was compiled before. Errors surface in {@link
   * settle}.
   */
  pipeline(assembled: Assembled): Pipeline {
    const cached = this.#pipelines.get(assembled.code);
    if (cached) return cached;
    const made = this.#errors.compile(
      assembled.name,
      () => compile(this.device, assembled),
      () => this.#pipelines.delete(assembled.code),
    );
    this.#pipelines.set(assembled.code, made);
    return made;
  }

  /**
   * Compiles kernels ahead of their first run, on all cores, where the adapter would otherwise do
   * so one by one when they first run. Elsewhere, for a few kernels, or on a device that was given,
   * does nothing.
   */
  async warmUp(kernels: Iterable<Assembled>): Promise<void> {
    const devices = Math.min(navigator.hardwareConcurrency, MOST_COMPILERS);
    const { webgpu } = this.#origin ?? {};
    if (!webgpu || !isLlvmpipe(this.adapter) || devices < 2) return;
    const fresh = new Map<string, Assembled>();
    for (const kernel of kernels) {
      if (!this.#pipelines.has(kernel.code)) fresh.set(kernel.code, kernel);
    }
    if (fresh.size < MANY_KERNELS) return;
    const opened = await Promise.allSettled(
      Array.from(
        { length: devices - 1 },
        async () => new Device(await openDevice({ webgpu }, () => this.preset)),
      ),
    );
    const others = opened.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    try {
      const all: readonly Device[] = [this, ...others];
      deal([...fresh.values()], ({ code }) => code.length, all.length).forEach((share, i) =>
        warmUp(all[i].device, share.map((kernel) => all[i].pipeline(kernel)))
      );
      // Waiting for one device holds up what is sent to another: all have their work by now.
      await Promise.all(all.map((gpu) => gpu.idle()));
    } finally {
      for (const other of others) other.destroy();
    }
  }

  /** Number of kernels compiled so far. */
  get pipelines(): number {
    return this.#pipelines.size;
  }

  /** Waits until all is allocated and compiled. Raises what the GPU has complained about. */
  async settle(): Promise<void> {
    await this.#errors.settle();
    this.check();
  }

  /**
   * Raises what the GPU has complained about since the last check: an {@link OutOfMemoryError}, a
   * {@link DeviceLostError}, which stays, or another {@link GpuError}.
   */
  check(): void {
    this.#demandAlive();
    this.#errors.check();
  }

  /** Submits what `encode` records. */
  submit(encode: (encoder: GPUCommandEncoder) => void): void {
    this.check();
    const encoder = this.device.createCommandEncoder();
    encode(encoder);
    this.device.queue.submit([encoder.finish()]);
  }

  /** Waits until all submitted work is done. */
  async idle(): Promise<void> {
    await this.done(this.device.queue.onSubmittedWorkDone());
  }

  /** Waits for something of the device. Raises {@link GpuError} where it fails, with the reason. */
  async done(work: Promise<undefined>): Promise<void> {
    try {
      await work;
    } catch (cause) {
      this.#demandAlive();
      await this.#errors.explain(cause);
    }
    this.check();
  }

  /** Waits for the bytes of a buffer that is mapped for reading; they last until it is unmapped. */
  async map(buffer: GPUBuffer, bytes: number = buffer.size): Promise<ArrayBuffer> {
    await this.done(buffer.mapAsync(1, 0, bytes));
    try {
      return buffer.getMappedRange(0, bytes);
    } catch (cause) {
      return await this.#errors.explain(cause);
    }
  }

  /** Writes padded elements over a tensor; they arrive before the next submit. */
  upload(tensor: Tensor, padded: Elements): void {
    this.#demandAlive();
    const { buffer, offset } = this.storageOf(tensor);
    // Some implementations end the process on a Float16Array; bytes are safe.
    const bytes = new Uint8Array(padded.buffer, padded.byteOffset, padded.byteLength);
    this.device.queue.writeBuffer(buffer, offset, bytes);
  }

  /**
   * Reads tensors back, row-major and unpadded. Waits for all submitted work, and then about
   * 11 ms in Deno whatever the sizes: read many tensors at once, and seldom.
   */
  async read(tensors: readonly Tensor[]): Promise<(Float32Array | Uint32Array)[]> {
    this.check();
    const storages = tensors.map((tensor) => this.storageOf(tensor));
    const offsets: number[] = [];
    let size = 0;
    for (const tensor of tensors) {
      offsets.push(size);
      size += tensor.bytes;
    }
    if (size === 0) return [];
    const usage = USAGE.MAP_READ | USAGE.COPY_DST;
    const staging = this.ownBuffer({ label: "read", size, usage });
    try {
      this.submit((encoder) =>
        tensors.forEach((tensor, i) => {
          const { buffer, offset } = storages[i];
          encoder.copyBufferToBuffer(buffer, offset, staging, offsets[i], tensor.bytes);
        })
      );
      const mapped = await this.map(staging);
      return tensors.map((tensor, i) => {
        const { type, shape, quads } = tensor;
        return unpad(numbersAt(type, mapped, { offset: offsets[i], count: quads * 4 }), shape);
      });
    } finally {
      this.free(staging);
    }
  }

  /** Frees everything, and the device when it was opened here. */
  destroy(): void {
    this.#destroyed = true;
    this.#errors.stop();
    for (const memory of [...this.#live.keys()]) this.free(memory);
    this.workQueue.destroy();
    if (this.#origin) this.device.destroy();
  }
}

/** Raises a `RangeError` unless it is a whole number from 1 on. */
export function checkMaxWorkgroups(maxWorkgroups: number): void {
  if (Number.isInteger(maxWorkgroups) && maxWorkgroups >= 1 && maxWorkgroups <= MAX_WORKGROUPS) {
    return;
  }
  throw new RangeError(
    `Cannot open a GPU: wanted maxWorkgroups to be a whole number from 1 to ${MAX_WORKGROUPS}, found ` +
      `${maxWorkgroups}`,
  );
}
