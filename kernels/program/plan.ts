import {
  alignedWords,
  type CopiedOperands,
  operand,
  Sources,
  type Step,
} from "./texture_copies.ts";
import { placedOf } from "./ranges.ts";
import { demandWritten } from "./unwritten.ts";
import { schedule } from "./command_order.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { TEXTURE_WIDTH, textureRows } from "../gpu/texture.ts";
import type { Command, Dispatch } from "./trace.ts";

/** Memory that serves several tensors: those alive at once side by side, others in turn. */
export interface Arena {
  /** Its size: in words for a buffer, in rows for a texture. */
  size: number;
  /** Its tensors, and where each begins. */
  readonly tensors: Map<Tensor, number>;
}

/** The order of the steps of a program, and the place of each tensor in memory. */
export interface Plan {
  readonly steps: readonly Step[];
  /** The texture copies of tensors. */
  readonly sources: Sources;
  /** Buffers, measured in words. */
  readonly buffers: readonly Arena[];
  /** Textures, measured in rows of {@link TEXTURE_WIDTH} vec4. */
  readonly textures: readonly Arena[];
  /** The largest sum of bytes alive at once: no placement can do with less. */
  readonly lowerBound: number;
}

/** The capacity of an arena: words of a buffer, rows of a texture. */
export interface Capacity {
  readonly words: number;
  readonly rows: number;
}

interface Lifetime {
  readonly tensor: Tensor;
  first: number;
  last: number;
}

/** Operands of a dispatch that lie in textures, by name. */
export interface Textures {
  /** The operands that are loaded from textures. */
  readonly loaded: (dispatch: Dispatch) => readonly string[];
  /** The operands that are stored to textures, and have no other memory. */
  readonly stored: (dispatch: Dispatch) => readonly string[];
}

/** Tensors whose buffer a step reads or writes, and tensors whose texture it reads or writes. */
interface Use {
  readonly reads: readonly Tensor[];
  readonly writes: readonly Tensor[];
  readonly loads: readonly Tensor[];
  readonly stores: readonly Tensor[];
}

const NOTHING: Use = { reads: [], writes: [], loads: [], stores: [] };

function use(step: Step, { loaded, stored }: Textures, sources: Sources): Use {
  switch (step.kind) {
    case "texture copy":
      return { ...NOTHING, reads: [step.tensor], stores: [step.tensor] };
    case "clear":
      return { ...NOTHING, writes: [step.tensor] };
    case "copy":
      return { ...NOTHING, reads: [step.from], writes: [step.to] };
    case "dispatch": {
      const [loads, stores] = [loaded(step), stored(step)];
      const others = (tensors: Readonly<Record<string, Tensor>>, names: readonly string[]) =>
        Object.entries(tensors).flatMap(([name, t]) => names.includes(name) ? [] : [placedOf(t)]);
      return {
        reads: others(step.reads, loads),
        writes: others(step.writes, stores),
        loads: loads.map((name) => sources.of(operand(step, name)).of),
        stores: stores.map((name) => step.writes[name]),
      };
    }
  }
}

/** The start of the lowest gap of this size between ranges that are alive at the same time. */
function lowestGap(size: number, taken: readonly { start: number; end: number }[]): number {
  let start = 0;
  for (const other of [...taken].sort((a, b) => a.start - b.start)) {
    if (other.start - start >= size) break;
    start = Math.max(start, other.end);
  }
  return start;
}

interface Placed {
  readonly life: Lifetime;
  readonly start: number;
  readonly end: number;
}

/**
 * Places lifetimes in arenas: the largest first, each at the lowest place that is free in its time.
 * `apart` tells which tensors must not share an arena with a tensor.
 */
function place(
  lifetimes: Iterable<Lifetime>,
  { sizeOf, capacity, apart }: {
    sizeOf: (tensor: Tensor) => number;
    capacity: number;
    apart: (tensor: Tensor) => ReadonlySet<Tensor>;
  },
): Arena[] {
  const arenas: { arena: Arena; placed: Placed[] }[] = [];
  const sorted = [...lifetimes].sort((a, b) => sizeOf(b.tensor) - sizeOf(a.tensor));
  for (const life of sorted) {
    const size = sizeOf(life.tensor);
    const others = apart(life.tensor);
    const fit = (placed: readonly Placed[]): number =>
      lowestGap(
        size,
        placed.filter(({ life: { first, last } }) => life.first <= last && first <= life.last),
      );
    let home = arenas.find(({ arena: { tensors }, placed }) =>
      ![...others].some((other) => tensors.has(other)) && fit(placed) + size <= capacity
    );
    if (!home) arenas.push(home = { arena: { size: 0, tensors: new Map() }, placed: [] });
    const start = fit(home.placed);
    home.placed.push({ life, start, end: start + size });
    home.arena.tensors.set(life.tensor, start);
    home.arena.size = Math.max(home.arena.size, start + size);
  }
  return arenas.map(({ arena }) => arena);
}

/** Pairs of tensors that belong in different memory. */
class Apart extends Map<Tensor, Set<Tensor>> {
  part(a: readonly Tensor[], b: readonly Tensor[]): void {
    for (const one of a) {
      for (const other of b) {
        this.#others(one).add(other);
        this.#others(other).add(one);
      }
    }
  }

  #others(tensor: Tensor): Set<Tensor> {
    const others = this.get(tensor) ?? new Set();
    this.set(tensor, others);
    return others;
  }
}

/**
 * For each tensor, those that belong in other buffers. WebGPU refuses to read and write one buffer
 * at once, and lets neighbouring kernels run at the same time only if they write to different ones.
 */
function buffersApart(uses: readonly Use[]): Apart {
  const apart = new Apart();
  uses.forEach(({ reads, writes }, i) => {
    apart.part(writes, [...reads, ...uses.at(i + 1)?.writes ?? []]);
  });
  return apart;
}

/**
 * For each tensor, those that belong in other textures: a texture that is written is bound but
 * once.
 */
function texturesApart(uses: readonly Use[]): Apart {
  const apart = new Apart();
  for (const { loads, stores } of uses) {
    stores.forEach((stored, i) => apart.part([stored], [...loads, ...stores.slice(i + 1)]));
  }
  return apart;
}

/** When tensors are first and last touched. */
class Lifetimes extends Map<Tensor, Lifetime> {
  touch(tensors: readonly Tensor[], at: number): void {
    for (const tensor of tensors) {
      const life = this.get(tensor);
      if (life) life.last = at;
      else this.set(tensor, { tensor, first: at, last: at });
    }
  }
}

/**
 * Lifetimes in buffers and in textures: a tensor from outside has a buffer, and perhaps a copy in a
 * texture.
 */
interface Lives {
  readonly buffers: Lifetimes;
  readonly textures: Lifetimes;
}

function lifetimes(uses: readonly Use[]): Lives {
  const buffers = new Lifetimes();
  const textures = new Lifetimes();
  // Tensors from outside have buffers of their own, and texture copies like the others.
  const inside = (tensors: readonly Tensor[]) => tensors.filter(({ storage }) => !storage);
  uses.forEach(({ reads, writes, loads, stores }, at) => {
    buffers.touch(inside(reads), at);
    buffers.touch(inside(writes), at);
    textures.touch(loads, at);
    textures.touch(stores, at);
  });
  return { buffers, textures };
}

/** The largest sum of bytes alive at once, out of so many steps. */
function lowerBound({ buffers, textures }: Lives, steps: number): number {
  const change = new Float64Array(steps + 1);
  for (const { tensor, first, last } of [...buffers.values(), ...textures.values()]) {
    change[first] += tensor.bytes;
    change[last + 1] -= tensor.bytes;
  }
  let now = 0;
  let peak = 0;
  for (const delta of change) peak = Math.max(peak, now += delta);
  return peak;
}

const NONE: ReadonlySet<Tensor> = new Set();

/**
 * Orders the steps of a program and places by liveness the tensors that live only inside it. Raises a
 * `TypeError` for one that is read before anything is written to it.
 */
export function plan(
  commands: readonly Command[],
  textures: Textures,
  capacity: Capacity,
): Plan {
  demandWritten(commands);
  const textured = new Set(
    commands.flatMap((command) =>
      command.kind === "dispatch"
        ? textures.stored(command).map((name) => command.writes[name])
        : []
    ),
  );
  const copied: CopiedOperands = (dispatch) =>
    textures.loaded(dispatch).filter((name) => !textured.has(operand(dispatch, name)));
  const sources = new Sources(commands, copied, capacity.rows * TEXTURE_WIDTH);
  const steps = schedule(commands, copied, sources);
  const uses = steps.map((step) => use(step, textures, sources));
  const lives = lifetimes(uses);
  const apart = { buffers: buffersApart(uses), textures: texturesApart(uses) };
  return {
    steps,
    sources,
    buffers: place(lives.buffers.values(), {
      sizeOf: alignedWords,
      capacity: capacity.words,
      apart: (tensor) => apart.buffers.get(tensor) ?? NONE,
    }),
    textures: place(lives.textures.values(), {
      sizeOf: textureRows,
      capacity: capacity.rows,
      apart: (tensor) => apart.textures.get(tensor) ?? NONE,
    }),
    lowerBound: lowerBound(lives, steps.length),
  };
}
