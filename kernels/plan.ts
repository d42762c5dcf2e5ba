import type { Tensor } from "./tensor.ts";
import type { Command, Dispatch } from "./trace.ts";

/** Brings a tensor's mirror up to date. */
export interface MirrorCopy {
  readonly kind: "mirror";
  readonly tensor: Tensor;
}

/** A command, or a mirror copy that it needs before it. */
export type Step = Command | MirrorCopy;

/** Memory that serves several tensors, one after the other. */
export interface Slot {
  words: number;
  readonly tensors: Tensor[];
}

/** Where everything in a program goes. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly buffers: readonly Slot[];
  readonly mirrors: readonly Slot[];
  /** The largest sum of bytes alive at once: no placement can do with less. */
  readonly lowerBound: number;
}

/** Names of the operands that a dispatch loads through mirrors. */
export type MirroredOperands = (dispatch: Dispatch) => readonly string[];

interface Lifetime {
  readonly tensor: Tensor;
  first: number;
  last: number;
}

function operand(dispatch: Dispatch, name: string): Tensor {
  return dispatch.reads[name] ?? dispatch.writes[name];
}

/**
 * Puts a mirror copy before the first mirrored load after each write. Copies of tensors that the
 * program has not written yet go to the front, where they do not break up a pass.
 */
function withMirrors(commands: readonly Command[], mirrored: MirroredOperands): Step[] {
  const front: Step[] = [];
  const steps: Step[] = [];
  const fresh = new Set<Tensor>();
  const written = new Set<Tensor | GPUBuffer>();
  const identity = (tensor: Tensor): Tensor | GPUBuffer => tensor.storage?.buffer ?? tensor;
  for (const command of commands) {
    if (command.kind === "dispatch") {
      for (const name of mirrored(command)) {
        const tensor = operand(command, name);
        if (fresh.has(tensor)) continue;
        fresh.add(tensor);
        (written.has(identity(tensor)) ? steps : front).push({ kind: "mirror", tensor });
      }
    }
    steps.push(command);
    for (const tensor of writesOf(command)) {
      const target = identity(tensor);
      written.add(target);
      for (const other of fresh) if (identity(other) === target) fresh.delete(other);
    }
  }
  return [...front, ...steps];
}

function writesOf(command: Command): Tensor[] {
  if (command.kind === "dispatch") return Object.values(command.writes);
  return [command.kind === "clear" ? command.tensor : command.to];
}

/** Tensors whose buffer, and tensors whose mirror, a step touches. */
function touches(step: Step, mirrored: MirroredOperands): { buffers: Tensor[]; mirrors: Tensor[] } {
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
        mirrors: [...names].map((name) => operand(step, name)),
      };
    }
  }
}

/** Places lifetimes in slots: the largest first, each in the first slot that is free in its time. */
function place(lifetimes: Iterable<Lifetime>): Slot[] {
  const slots: { words: number; tensors: Tensor[]; taken: Lifetime[] }[] = [];
  for (const life of [...lifetimes].sort((a, b) => b.tensor.words - a.tensor.words)) {
    let slot = slots.find(({ taken }) =>
      taken.every((other) => life.last < other.first || other.last < life.first)
    );
    if (!slot) slots.push(slot = { words: life.tensor.words, tensors: [], taken: [] });
    slot.tensors.push(life.tensor);
    slot.taken.push(life);
  }
  return slots;
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
export function plan(commands: readonly Command[], mirrored: MirroredOperands): Plan {
  const steps = withMirrors(commands, mirrored);
  const buffers = new Map<Tensor, Lifetime>();
  const mirrors = new Map<Tensor, Lifetime>();
  const touch = (lives: Map<Tensor, Lifetime>, tensor: Tensor, at: number): void => {
    const life = lives.get(tensor);
    if (life) life.last = at;
    else if (!tensor.storage) lives.set(tensor, { tensor, first: at, last: at });
  };
  steps.forEach((step, at) => {
    const touched = touches(step, mirrored);
    for (const tensor of touched.buffers) touch(buffers, tensor, at);
    for (const tensor of touched.mirrors) touch(mirrors, tensor, at);
  });
  return {
    steps,
    buffers: place(buffers.values()),
    mirrors: place(mirrors.values()),
    lowerBound: lowerBound([...buffers.values(), ...mirrors.values()], steps.length),
  };
}
