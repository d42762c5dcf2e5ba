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

/** Tensors whose buffer a step reads or writes, and tensors whose mirror it touches. */
interface Use {
  readonly reads: readonly Tensor[];
  readonly writes: readonly Tensor[];
  readonly mirrors: readonly Tensor[];
}

function use(step: Step, mirrored: MirroredOperands, sources: Sources): Use {
  switch (step.kind) {
    case "mirror":
      return { reads: [step.tensor], writes: [], mirrors: [step.tensor] };
    case "clear":
      return { reads: [], writes: [step.tensor], mirrors: [] };
    case "copy":
      return { reads: [step.from], writes: [step.to], mirrors: [] };
    case "dispatch": {
      const names = mirrored(step);
      return {
        reads: Object.entries(step.reads).flatMap(([name, t]) => names.includes(name) ? [] : [t]),
        writes: Object.values(step.writes),
        mirrors: names.map((name) => sources.of(operand(step, name)).of),
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

/**
 * By tensor, those that belong in other buffers. WebGPU refuses to read and write one buffer at once,
 * and lets neighbouring kernels run at the same time only if they write to different ones.
 */
function keptApart(uses: readonly Use[]): ReadonlyMap<Tensor, ReadonlySet<Tensor>> {
  const apart = new Map<Tensor, Set<Tensor>>();
  const part = (a: Tensor, b: Tensor): void => {
    const others = apart.get(a);
    if (others) others.add(b);
    else apart.set(a, new Set([b]));
  };
  uses.forEach(({ reads, writes }, i) => {
    const next = uses.at(i + 1)?.writes ?? [];
    for (const other of [...reads, ...next]) {
      for (const written of writes) {
        part(other, written);
        part(written, other);
      }
    }
  });
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

function lifetimes(uses: readonly Use[]): { buffers: Lifetimes; mirrors: Lifetimes } {
  const buffers = new Lifetimes();
  const mirrors = new Lifetimes();
  // Tensors from outside have buffers of their own, and mirrors like the others.
  const inside = (tensors: readonly Tensor[]) => tensors.filter(({ storage }) => !storage);
  uses.forEach(({ reads, writes, mirrors: mirrored }, at) => {
    buffers.touch(inside(reads), at);
    buffers.touch(inside(writes), at);
    mirrors.touch(mirrored, at);
  });
  return { buffers, mirrors };
}

/** The largest sum of bytes alive at once. */
function lowerBound(uses: readonly Use[]): number {
  const { buffers, mirrors } = lifetimes(uses);
  const change = new Float64Array(uses.length + 1);
  for (const { tensor, first, last } of [...buffers.values(), ...mirrors.values()]) {
    change[first] += tensor.bytes;
    change[last + 1] -= tensor.bytes;
  }
  let now = 0;
  let peak = 0;
  for (const delta of change) peak = Math.max(peak, now += delta);
  return peak;
}

/** The part of the memory of a program that one copy may fill. */
const SHARE = 16;

/** Steps for which memory may be held for nothing, so that two copies are one. */
const APART = 32;

const NONE: ReadonlySet<Tensor> = new Set();

/** Orders the steps of a program and places by liveness the tensors that live only inside it. */
export function plan(
  commands: readonly Command[],
  mirrored: MirroredOperands,
  capacity: Capacity,
): Plan {
  const sources = new Sources(commands, mirrored, capacity.rows * MIRROR_WIDTH);
  const scheduled = schedule(commands, mirrored, sources);
  const separate = scheduled.map((step) => use(step, mirrored, sources));
  const bound = lowerBound(separate);
  const { mirrors: alone } = lifetimes(separate);
  // What kernels read from its buffer may have to lie apart from others.
  const read = new Set(
    scheduled.flatMap(({ kind }, i) => kind === "mirror" ? [] : separate[i].reads),
  );
  const steps = joinCopies(scheduled, sources, {
    // What is copied at once takes its memory twice: little beside all the rest.
    words: Math.min(capacity.words, capacity.rows * MIRROR_WIDTH * 4, bound / 4 / SHARE),
    end: (tensor) => read.has(tensor) ? undefined : alone.get(tensor)?.last,
    apart: APART,
  });
  const uses = steps.map((step): Use => {
    const { reads, writes, mirrors } = use(step, mirrored, sources);
    const held = (tensors: readonly Tensor[]) =>
      tensors.map((tensor) => tensor.storage ? tensor : sources.holder(tensor));
    return { reads: held(reads), writes: held(writes), mirrors };
  });
  const { buffers, mirrors } = lifetimes(uses);
  const apart = keptApart(uses);
  return {
    steps,
    sources,
    buffers: place(buffers.values(), {
      sizeOf: alignedWords,
      capacity: capacity.words,
      apart: (tensor) => apart.get(tensor) ?? NONE,
    }),
    textures: place(mirrors.values(), {
      sizeOf: mirrorRows,
      capacity: capacity.rows,
      apart: () => NONE,
    }),
    lowerBound: bound,
  };
}
