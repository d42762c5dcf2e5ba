import { type Action, encode } from "./action.ts";
import type { Assembled, Binding } from "../gpu/assemble.ts";
import { costOf } from "./cost.ts";
import type { Device } from "../gpu/device.ts";
import type { Pipeline } from "../gpu/pipeline.ts";
import { CHANNEL_QUADS, type Kernel } from "../gpu/kernel.ts";
import { operand, readsOf, type Sources, type Step, writesOf } from "./texture_copies.ts";
import { plan } from "./plan.ts";
import { placedOf } from "./ranges.ts";
import { ALIGNMENT, ELEMENT_BYTES, type Storage, type Tensor } from "../gpu/tensor.ts";
import { TEXTURE_WIDTH, textureRows } from "../gpu/texture.ts";
import type { Dispatch, Trace } from "./trace.ts";

/** The words of a tensor as texels of a texture, from the first on. */
interface Texels {
  readonly texture: GPUTexture;
  readonly view: GPUTextureView;
  readonly first: number;
}

/**
 * A trace made ready to run again and again: memory placed, kernels compiled, bind groups made.
 * A replay encodes the list of commands and submits once; it allocates nothing.
 */
export class Program {
  /** The name in errors and GPU tools. */
  readonly name: string;
  /** Bytes of all memory that this program owns. */
  readonly bytes: number;
  /** The largest sum of bytes alive at once: no placement can do with less. */
  readonly lowerBound: number;
  /** Number of kernel runs of one replay. */
  readonly dispatches: number;
  readonly #actions: readonly Action[];
  /** Buffers from outside, and a tensor in each. */
  readonly #outside = new Map<GPUBuffer, Tensor>();
  #destroyed = false;
  readonly #gpu: Device;
  readonly #sources: Sources;
  readonly #texels = new Map<Tensor, Texels>();
  readonly #owned: (GPUBuffer | GPUTexture)[] = [];
  /** Memory of tensors that live while a replay lasts. */
  readonly #arenas: (GPUBuffer | GPUTexture)[] = [];

  /**
   * Programs come from `Scope.trace`. What tensors live in while a replay lasts may be memory of
   * another program, `over`, as replays follow one another.
   */
  constructor(
    name: string,
    trace: Trace,
    kernels: ReadonlyMap<Dispatch, Assembled>,
    over?: Program,
  ) {
    this.name = name;
    const lent = over ? [...over.#arenas] : [];
    this.#gpu = trace.gpu;
    for (const tensor of trace.commands.flatMap((c) => [...readsOf(c), ...writesOf(c)])) {
      if (tensor.storage) this.#outside.set(tensor.storage.buffer, tensor);
    }
    const { gpu } = trace;
    const before = gpu.live().bytes;
    try {
      const compiled = new Map<Dispatch, Pipeline>();
      for (const [dispatch, kernel] of kernels) compiled.set(dispatch, gpu.pipeline(kernel));
      const operands = (kinds: readonly Binding["kind"][]) => (dispatch: Dispatch): string[] =>
        (kernels.get(dispatch)?.bindings ?? []).filter(({ kind }) => kinds.includes(kind))
          .map(({ name }) => name);
      const textures = { loaded: operands(["load"]), stored: operands(["store"]) };
      const placed = plan(trace.commands, textures, {
        words: Math.floor(gpu.largestBuffer / 4),
        rows: gpu.device.limits.maxTextureDimension2D - 1,
      });
      const { steps, sources } = placed;
      this.#sources = sources;
      for (const { size, tensors } of placed.buffers) {
        const [largest] = tensors.keys();
        const buffer = this.#arena(
          borrowed(
            lent,
            (memory): memory is GPUBuffer => isBuffer(memory) && memory.size >= size * 4,
          ) ??
            this.#keep(gpu.takeBuffer(largest.name, size * 4)),
        );
        for (const [tensor, start] of tensors) {
          tensor.storage = { buffer, offset: start * 4 };
        }
      }
      for (const { size, tensors } of placed.textures) {
        const [largest] = tensors.keys();
        const texture = this.#arena(
          borrowed(
            lent,
            (memory): memory is GPUTexture => !isBuffer(memory) && memory.height >= size,
          ) ??
            this.#keep(gpu.takeTexture(largest.name, size)),
        );
        const view = texture.createView();
        for (const [tensor, row] of tensors) {
          this.#texels.set(tensor, { texture, view, first: row * TEXTURE_WIDTH });
        }
      }
      const dispatches = steps.filter((step) => step.kind === "dispatch");
      const dims = this.#writeDims(dispatches, operands(["load", "store"]));
      let index = 0;
      this.#actions = steps.map((step) => {
        if (step.kind !== "dispatch") return this.#transfer(step);
        const made = compiled.get(step);
        if (!made) throw new TypeError(`Cannot run kernel ${step.kernel.name}: it is not compiled`);
        return this.#dispatch(step, made, { ...dims, index: index++ });
      });
      this.bytes = gpu.live().bytes - before;
      this.lowerBound = placed.lowerBound;
      this.dispatches = dispatches.length;
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  #texelsOf(tensor: Tensor): Texels {
    const { of, first } = this.#sources.of(tensor);
    const texels = this.#texels.get(of);
    if (!texels) throw new TypeError(`Cannot load ${tensor.name}: it lies in no texture`);
    return { ...texels, first: texels.first + first };
  }

  #arena<T extends GPUBuffer | GPUTexture>(memory: T): T {
    this.#arenas.push(memory);
    return memory;
  }

  #keep<T extends GPUBuffer | GPUTexture>(memory: T): T {
    this.#owned.push(memory);
    return memory;
  }

  /** Writes the numbers of all dispatches into one buffer, each at a multiple of the alignment. */
  #writeDims(
    dispatches: readonly Dispatch[],
    inTextures: (dispatch: Dispatch) => string[],
  ): { buffer: GPUBuffer; stride: number } {
    const lengths = dispatches.map((d) => Object.keys(d.kernel.dims).length + inTextures(d).length);
    const longest = Math.max(0, ...lengths);
    const stride = Math.ceil((longest + 1) * 4 / ALIGNMENT) * ALIGNMENT;
    const bytes = new DataView(new ArrayBuffer(Math.max(1, dispatches.length) * stride));
    dispatches.forEach((dispatch, i) => {
      const { kernel, dims, workgroups } = dispatch;
      let at = i * stride;
      bytes.setUint32(at, workgroups, true);
      for (const [name, type] of Object.entries(kernel.dims)) {
        const value = dims[name];
        if (!Number.isFinite(value)) {
          throw new TypeError(`Cannot run ${kernel.name}: ${name} is a number, found ${value}`);
        }
        at += 4;
        if (type === "f32") bytes.setFloat32(at, value, true);
        else if (type === "i32") bytes.setInt32(at, value, true);
        else bytes.setUint32(at, value, true);
      }
      for (const name of inTextures(dispatch)) {
        bytes.setUint32(at += 4, this.#texelsOf(operand(dispatch, name)).first, true);
      }
    });
    const buffer = this.#keep(this.#gpu.takeBuffer(`${this.name} dims`, bytes.byteLength));
    this.#gpu.device.queue.writeBuffer(buffer, 0, new Uint8Array(bytes.buffer));
    return { buffer, stride };
  }

  #dispatch(
    step: Dispatch,
    { pipeline, layout, assembled }: Pipeline,
    dims: { buffer: GPUBuffer; stride: number; index: number },
  ): Action {
    const { kernel } = step;
    const resource = (name: string, kind: string): GPUBindingResource => {
      if (name === "dims") {
        const offset = dims.index * dims.stride;
        return { buffer: dims.buffer, offset, size: dims.stride };
      }
      if (kind === "queue") return { buffer: this.#gpu.workQueue };
      const tensor = operand(step, name);
      if (!tensor) throw new TypeError(`Cannot run kernel ${kernel.name}: it needs ${name}`);
      if (kind === "load" || kind === "store") return this.#texelsOf(tensor).view;
      const { buffer, offset } = placed(tensor);
      if (kind === "uniform") {
        if (tensor.quads > CHANNEL_QUADS) throw tooManyChannels(kernel, name, tensor);
        return { buffer, offset, size: CHANNEL_QUADS * 16 };
      }
      return { buffer, offset, size: tensor.bytes };
    };
    const group = this.#gpu.device.createBindGroup({
      label: kernel.name,
      layout,
      entries: assembled.bindings.map(({ name, kind }, binding) => ({
        binding,
        resource: resource(name, kind),
      })),
    });
    const { workgroups, grid = workgroups } = step;
    // The fewest workgroups of which none does more parts of the work than with the largest grid.
    const parts = Math.ceil(workgroups / Math.min(grid, this.#gpu.maxWorkgroups));
    const started = Math.ceil(workgroups / parts);
    const x = Math.min(started, 65535);
    return {
      kind: "dispatch",
      name: kernel.name,
      work: step.work,
      cost: costOf(step),
      pipeline,
      group,
      x,
      y: Math.min(65535, Math.ceil(started / x)),
    };
  }

  #transfer(step: Exclude<Step, Dispatch>): Action {
    const transfer = { kind: "transfer" as const, name: step.kind, cost: costOf(step) };
    if (step.kind === "clear") {
      const { buffer, offset } = placed(step.tensor);
      const { bytes } = step.tensor;
      return {
        ...transfer,
        encode: (e) => e.clearBuffer(buffer, offset, bytes),
      };
    }
    if (step.kind === "copy") {
      const from = placed(step.from);
      const to = placed(step.to);
      const { bytes } = step.to;
      return {
        ...transfer,
        encode: (e) => e.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, bytes),
      };
    }
    const { buffer, offset } = placed(step.tensor);
    const { texture, first } = this.#texelsOf(step.tensor);
    const width = Math.min(step.tensor.quads, TEXTURE_WIDTH);
    const rows = textureRows(step.tensor);
    const source = { buffer, offset, bytesPerRow: Math.ceil(width * 16 / ALIGNMENT) * ALIGNMENT };
    const destination = { texture, origin: { x: 0, y: first / TEXTURE_WIDTH } };
    const size = { width, height: rows };
    return {
      ...transfer,
      encode: (e) => e.copyBufferToTexture(source, destination, size),
    };
  }

  /**
   * What a replay encodes, in order. Raises a `TypeError` when the program was destroyed with its
   * scope, or the scope of a tensor that it uses has ended.
   */
  get actions(): readonly Action[] {
    if (this.#destroyed) throw new TypeError(`Cannot run ${this.name}: its scope has ended`);
    for (const [buffer, { name }] of this.#outside) {
      if (this.#gpu.owns(buffer)) continue;
      throw new TypeError(
        `Cannot run ${this.name}: the scope of tensor ${name}, which it uses, has ended; let it last ` +
          `as long as the program`,
      );
    }
    return this.#actions;
  }

  /**
   * Encodes and submits all commands once. Raises what the GPU has complained about before, and what
   * {@link actions} does.
   */
  replay(): void {
    this.#gpu.check();
    const { actions } = this;
    this.#gpu.submit((encoder) => encode(encoder, actions));
  }

  /** Frees the memory of this program. */
  destroy(): void {
    this.#destroyed = true;
    for (const memory of this.#owned.splice(0)) this.#gpu.free(memory);
  }
}

type Memory = GPUBuffer | GPUTexture;

function isBuffer(memory: Memory): memory is GPUBuffer {
  return "mapState" in memory;
}

/** Takes the first memory that fits out of a list. */
function borrowed<T extends Memory>(
  lent: Memory[],
  fits: (memory: Memory) => memory is T,
): T | undefined {
  const found = lent.find(fits);
  if (found) lent.splice(lent.indexOf(found), 1);
  return found;
}

function tooManyChannels({ name }: Kernel, operand: string, tensor: Tensor): RangeError {
  return new RangeError(
    `Cannot run kernel ${name}: ${operand} holds ${CHANNEL_QUADS * 4} values at most, found ` +
      `${tensor.name} [${tensor.shape}]`,
  );
}

/** Where a tensor of a program lies. */
function placed(tensor: Tensor): Storage {
  const { storage } = placedOf(tensor);
  if (!storage) {
    throw new TypeError(`Cannot run a program on tensor ${tensor.name}: it has no memory`);
  }
  const { range, temporary, type } = tensor;
  const inside = temporary ? range?.start ?? 0 : 0;
  return { buffer: storage.buffer, offset: storage.offset + inside * ELEMENT_BYTES[type] };
}
