import { MIRROR_WIDTH } from "./kernel.ts";
import {
  type MirroredOperands,
  mirrorRows,
  operand,
  schedule,
  Sources,
  type Step,
} from "./mirrors.ts";
import { ALIGNMENT, type Tensor } from "./tensor.ts";
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

function lowerBound(lifetimes: readonly Lifetime[], length: number): number {
  const change = new Float64Array(length + 1);
  for (const { tensor, first, last } of lifetimes) {
    change[first] += tensor.bytes;
    change[last + 1] -= tensor.bytes;
  }
  let now = 0;
  let peak = 0;
  for (const delta of change) peak = Math.max(peak, now += delta);
  return peak;
}

/** Orders the steps of a program and places by liveness the tensors that live only inside it. */
export function plan(
  commands: readonly Command[],
  mirrored: MirroredOperands,
  capacity: Capacity,
): Plan {
  const sources = new Sources(commands, mirrored, capacity.rows * MIRROR_WIDTH);
  const steps = schedule(commands, mirrored, sources);
  const buffers = new Map<Tensor, Lifetime>();
  const mirrors = new Map<Tensor, Lifetime>();
  const touch = (lives: Map<Tensor, Lifetime>, tensor: Tensor, at: number): void => {
    const life = lives.get(tensor);
    if (life) life.last = at;
    else lives.set(tensor, { tensor, first: at, last: at });
  };
  steps.forEach((step, at) => {
    const touched = touches(step, mirrored, sources);
    // Tensors from outside have buffers of their own, and mirrors like the others.
    for (const tensor of touched.buffers) if (!tensor.storage) touch(buffers, tensor, at);
    for (const tensor of touched.mirrors) touch(mirrors, tensor, at);
  });
  const read = readFromBuffer(steps, mirrored);
  return {
    steps,
    sources,
    buffers: place(buffers.values(), {
      sizeOf: ({ bytes }) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT / 4,
      capacity: capacity.words,
      alone: (tensor) => read.has(tensor),
    }),
    textures: place(mirrors.values(), {
      sizeOf: mirrorRows,
      capacity: capacity.rows,
      alone: () => false,
    }),
    lowerBound: lowerBound([...buffers.values(), ...mirrors.values()], steps.length),
  };
}
