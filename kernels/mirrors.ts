import { MIRROR_WIDTH } from "./kernel.ts";
import { Tensor } from "./tensor.ts";
import type { Command, Dispatch } from "./trace.ts";

/** Brings the mirror of a tensor up to date. */
export interface MirrorCopy {
  /** Tells it from commands. */
  readonly kind: "mirror";
  /** What is copied. */
  readonly tensor: Tensor;
}

/** A command, or a mirror copy that it needs before it. */
export type Step = Command | MirrorCopy;

/** Names of the operands that a dispatch loads through mirrors. */
export type MirroredOperands = (dispatch: Dispatch) => readonly string[];

/** Where a tensor is mirrored: from vec4 `first` on in the mirror of `of`, which may be itself. */
export interface Source {
  /** What is copied. */
  readonly of: Tensor;
  /** In vec4. */
  readonly first: number;
}

/** The operand of this name. */
export function operand(dispatch: Dispatch, name: string): Tensor {
  return dispatch.reads[name] ?? dispatch.writes[name];
}

function readsOf(command: Command): Tensor[] {
  if (command.kind === "dispatch") return Object.values(command.reads);
  return command.kind === "copy" ? [command.from] : [];
}

function writesOf(command: Command): Tensor[] {
  if (command.kind === "dispatch") return Object.values(command.writes);
  return [command.kind === "clear" ? command.tensor : command.to];
}

/** Whether they have words in common; tensors of the program have none with others. */
function overlap(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  if (!a.storage || !b.storage || a.storage.buffer !== b.storage.buffer) return false;
  const apart = a.storage.offset + a.bytes <= b.storage.offset ||
    b.storage.offset + b.bytes <= a.storage.offset;
  return !apart;
}

/** For each command, those before it that it has to stay behind. */
function dependencies(commands: readonly Command[]): ReadonlySet<number>[] {
  interface Access {
    readonly tensor: Tensor;
    readonly writes: boolean;
    readonly at: number;
  }
  const accesses = new Map<Tensor | GPUBuffer, Access[]>();
  return commands.map((command, at) => {
    const earlier = new Set<number>();
    const now: Access[] = [
      ...readsOf(command).map((tensor) => ({ tensor, writes: false, at })),
      ...writesOf(command).map((tensor) => ({ tensor, writes: true, at })),
    ];
    for (const access of now) {
      const { tensor, writes } = access;
      const place = tensor.storage?.buffer ?? tensor;
      const others = accesses.get(place) ?? [];
      accesses.set(place, others);
      for (const other of others) {
        const conflict = (writes || other.writes) && overlap(tensor, other.tensor);
        if (conflict && other.at !== at) earlier.add(other.at);
      }
      others.push(access);
    }
    return earlier;
  });
}

/** Tensors from outside that are loaded through mirrors before anything writes to them. */
function found(
  commands: readonly Command[],
  mirrored: MirroredOperands,
): { read: Set<Tensor>; updated: Set<Tensor> } {
  const read = new Set<Tensor>();
  const updated = new Set<Tensor>();
  const written: Tensor[] = [];
  for (const command of commands) {
    if (command.kind === "dispatch") {
      for (const name of mirrored(command)) {
        const tensor = operand(command, name);
        if (!tensor.storage || written.some((other) => overlap(tensor, other))) continue;
        (name in command.reads ? read : updated).add(tensor);
      }
    }
    written.push(...writesOf(command).filter(({ storage }) => storage));
  }
  return { read, updated };
}

/** The range of a buffer that holds all of them, unless that is mostly other things. */
function range(tensors: readonly Tensor[], capacity: number): Tensor | undefined {
  const [{ storage, name }] = tensors;
  if (!storage) return undefined;
  const starts = tensors.map((t) => t.storage?.offset ?? 0);
  const start = Math.min(...starts);
  const end = Math.max(...tensors.map(({ bytes }, i) => starts[i] + bytes));
  const used = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  if (end - start > 2 * used || (end - start) / 16 > capacity) return undefined;
  const of = new Tensor(`${name} and others`, [(end - start) / 4]);
  of.storage = { buffer: storage.buffer, offset: start };
  return of;
}

/** Where tensors are mirrored. */
export class Sources {
  readonly #sources = new Map<Tensor, Source>();

  /**
   * Parameters and their like, found in one buffer, have one mirror. `capacity` is the most vec4 of
   * a mirror. What is only updated in place, as by optimisers, is copied when its turn comes.
   */
  constructor(commands: readonly Command[], mirrored: MirroredOperands, capacity: number) {
    const { read, updated } = found(commands, mirrored);
    const groups = Map.groupBy([...read], ({ storage }) => storage?.buffer);
    for (const [buffer, tensors] of groups) {
      const all = new Set([
        ...tensors,
        ...[...updated].filter(({ storage }) => storage?.buffer === buffer),
      ]);
      if (all.size < 2) continue;
      const of = range([...all], capacity);
      if (!of?.storage) continue;
      for (const tensor of all) {
        const bytes = (tensor.storage?.offset ?? 0) - of.storage.offset;
        this.#sources.set(tensor, { of, first: bytes / 16 });
      }
    }
  }

  /** Where this tensor is mirrored. */
  of(tensor: Tensor): Source {
    return this.#sources.get(tensor) ?? { of: tensor, first: 0 };
  }
}

/** Rows of the mirror of a tensor. */
export function mirrorRows(tensor: Tensor): number {
  return Math.ceil(tensor.quads / MIRROR_WIDTH);
}

/**
 * Orders commands and puts mirror copies between them. Copies interrupt a pass of kernels, which
 * costs as much as three of them: whatever can run without one runs before the next, and each
 * interruption makes all copies that are due. So branches of a network advance together.
 */
export function schedule(
  commands: readonly Command[],
  mirrored: MirroredOperands,
  sources: Sources,
): Step[] {
  const before = dependencies(commands);
  const done = commands.map(() => false);
  const fresh = new Set<Tensor>();
  const steps: Step[] = [];
  const emit = (i: number): void => {
    steps.push(commands[i]);
    done[i] = true;
    for (const target of writesOf(commands[i])) {
      for (const tensor of fresh) if (overlap(tensor, target)) fresh.delete(tensor);
    }
  };
  const stale = (command: Command): Tensor[] =>
    command.kind !== "dispatch" ? [] : mirrored(command)
      .map((name) => sources.of(operand(command, name)).of)
      .filter((tensor) => !fresh.has(tensor));
  // Zeros inside the program wait until they are needed, so that they take no memory before.
  const lazy = commands.map((c) => c.kind === "clear" && !c.tensor.storage);
  const open = (i: number): number[] => [...before[i]].filter((j) => !done[j]);
  const left = (): number[] => done.flatMap((is, i) => is ? [] : [i]);
  const interrupt = (): void => {
    for (const i of left()) {
      const needed = open(i);
      if (lazy[i] || !needed.every((j) => lazy[j] && open(j).length === 0)) continue;
      needed.forEach(emit);
      if (commands[i].kind !== "dispatch") emit(i);
      for (const tensor of new Set(stale(commands[i]))) {
        steps.push({ kind: "mirror", tensor });
        fresh.add(tensor);
      }
    }
  };
  for (let rest = left(); rest.length; rest = left()) {
    interrupt();
    for (const i of rest) {
      const runs = commands[i].kind === "dispatch" && stale(commands[i]).length === 0;
      if (runs && open(i).length === 0) emit(i);
    }
  }
  return steps;
}
