import { MIRROR_WIDTH } from "./kernel.ts";
import {
  alignedWords,
  type MirroredOperands,
  mirrorRows,
  operand,
  Sources,
  type Step,
} from "./mirrors.ts";
import { joinCopies, schedule } from "./schedule.ts";
import type { Tensor } from "./tensor.ts";
import type { Command } from "./trace.ts";

/** Memory that serves several tensors: those alive at once side by side, others in turn. */
export interface Arena {
  /** What it is measured in: words of a buffer, rows of a texture. */
  size: number;
  /** Its tensors, and where each begins. */
  readonly tensors: Map<Tensor, number>;
}

/** Where everything in a program goes. */
export interface Plan {
  readonly steps: readonly Step[];
  /** Where tensors are mirrored. */
  readonly sources: Sources;
  /** Buffers, measured in words. */
  readonly buffers: readonly Arena[];
  /** Textures 2048 texels wide, measured in rows. */
  readonly textures: readonly Arena[];
  /** The largest sum of bytes alive at once: no placement can do with less. */
  readonly lowerBound: number;
}

/** The most that an arena may hold. */
export interface Capacity {
  readonly words: number;
  readonly rows: number;
}

interface Lifetime {
  readonly tensor: Tensor;
  first: number;
  last: number;
}

/** Tensors whose buffer, and tensors whose mirror, a step touches. */
function touches(
  step: Step,
  mirrored: MirroredOperands,
  sources: Sources,
): { buffers: Tensor[]; mirrors: Tensor[] } {
  switch (step.kind) {
    case "mirror":
      return { buffers: [step.tensor], mirrors: [step.tensor] };
    case "clear":
      return { buffers: [step.tensor], mirrors: [] };
    case "copy":
      return { buffers: [step.from, step.to], mirrors: [] };
    case "dispatch": {
      const names = new Set(mirrored(step));
      const reads = Object.entries(step.reads).filter(([name]) => !names.has(name));
      return {
        buffers: [...reads.map(([, tensor]) => tensor), ...Object.values(step.writes)],
        mirrors: [...names].map((name) => sources.of(operand(step, name)).of),
      };
    }
  }
}

/** Where to begin among what is alive at the same time: the lowest gap that is large enough. */
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
 * `alone` says which tensors must not lie beside others that are alive.
 */
function place(
  lifetimes: Iterable<Lifetime>,
  { sizeOf, capacity, alone }: {
    sizeOf: (tensor: Tensor) => number;
    capacity: number;
    alone: (tensor: Tensor) => boolean;
  },
): Arena[] {
  const arenas: { arena: Arena; placed: Placed[]; single: boolean }[] = [];
  const sorted = [...lifetimes].sort((a, b) => sizeOf(b.tensor) - sizeOf(a.tensor));
  for (const life of sorted) {
    const size = sizeOf(life.tensor);
    const single = alone(life.tensor);
    const fit = (placed: readonly Placed[]): number =>
      lowestGap(
        size,
        placed.filter(({ life: { first, last } }) => life.first <= last && first <= life.last),
      );
    let home = arenas.find(({ placed, single: only }) => {
      const start = fit(placed);
      return only === single && (single ? start === 0 : start + size <= capacity);
    });
    if (!home) arenas.push(home = { arena: { size: 0, tensors: new Map() }, placed: [], single });
    const start = fit(home.placed);
    home.placed.push({ life, start, end: start + size });
    home.arena.tensors.set(life.tensor, start);
    home.arena.size = Math.max(home.arena.size, start + size);
  }
  return arenas.map(({ arena }) => arena);
}

/** Tensors that some kernel reads from their buffer: WebGPU wants those apart from what it writes. */
function readFromBuffer(steps: readonly Step[], mirrored: MirroredOperands): Set<Tensor> {
  return new Set(
    steps.flatMap((step) => {
      if (step.kind !== "dispatch") return [];
      const names = new Set(mirrored(step));
      return Object.entries(step.reads).flatMap(([name, tensor]) =>
        names.has(name) ? [] : [tensor]
      );
    }),
  );
}

/** The largest sum of bytes alive at once. */
function lowerBound(
  steps: readonly Step[],
  touched: (step: Step) => { buffers: Tensor[]; mirrors: Tensor[] },
): number {
  const buffers = new Lifetimes();
  const mirrors = new Lifetimes();
  steps.forEach((step, at) => {
    const { buffers: inBuffers, mirrors: inTextures } = touched(step);
    // Tensors from outside have buffers of their own, and mirrors like the others.
    for (const tensor of inBuffers) if (!tensor.storage) buffers.touch(tensor, at);
    for (const tensor of inTextures) mirrors.touch(tensor, at);
  });
  const change = new Float64Array(steps.length + 1);
  for (const { tensor, first, last } of [...buffers.values(), ...mirrors.values()]) {
    change[first] += tensor.bytes;
    change[last + 1] -= tensor.bytes;
  }
  let now = 0;
  let peak = 0;
  for (const delta of change) peak = Math.max(peak, now += delta);
  return peak;
}

/** When each tensor is first and last touched. */
class Lifetimes extends Map<Tensor, Lifetime> {
  touch(tensor: Tensor, at: number): void {
    const life = this.get(tensor);
    if (life) life.last = at;
    else this.set(tensor, { tensor, first: at, last: at });
  }
}

/** The part of the memory of a program that one copy may fill. */
const SHARE = 16;

/** Orders the steps of a program and places by liveness the tensors that live only inside it. */
export function plan(
  commands: readonly Command[],
  mirrored: MirroredOperands,
  capacity: Capacity,
): Plan {
  const sources = new Sources(commands, mirrored, capacity.rows * MIRROR_WIDTH);
  const scheduled = schedule(commands, mirrored, sources);
  const bound = lowerBound(scheduled, (step) => touches(step, mirrored, sources));
  // What is copied at once takes its memory twice: little beside all the rest.
  const most = Math.min(capacity.words, capacity.rows * MIRROR_WIDTH * 4, bound / 4 / SHARE);
  const steps = joinCopies(scheduled, sources, most);
  const buffers = new Lifetimes();
  const mirrors = new Lifetimes();
  steps.forEach((step, at) => {
    const touched = touches(step, mirrored, sources);
    for (const tensor of touched.buffers) {
      if (!tensor.storage) buffers.touch(sources.holder(tensor), at);
    }
    for (const tensor of touched.mirrors) mirrors.touch(tensor, at);
  });
  const read = readFromBuffer(steps, mirrored);
  return {
    steps,
    sources,
    buffers: place(buffers.values(), {
      sizeOf: alignedWords,
      capacity: capacity.words,
      alone: (tensor) => sources.heldBy(tensor).some((held) => read.has(held)),
    }),
    textures: place(mirrors.values(), {
      sizeOf: mirrorRows,
      capacity: capacity.rows,
      alone: () => false,
    }),
    lowerBound: bound,
  };
}
