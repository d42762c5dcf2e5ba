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

/** Whether `later` has to stay behind `earlier`. */
function depends(later: Command, earlier: Command): boolean {
  const written = writesOf(earlier);
  const touched = [...readsOf(later), ...writesOf(later)];
  return written.some((a) => touched.some((b) => overlap(a, b))) ||
    writesOf(later).some((a) => readsOf(earlier).some((b) => overlap(a, b)));
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
  /** What is copied at the start of the program, in one go. */
  readonly atStart: ReadonlySet<Tensor>;
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
    this.atStart = new Set([...read].map((tensor) => this.of(tensor).of));
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
 * Puts a mirror copy before the first mirrored load, and before the first after each write. Copies
 * interrupt a pass of kernels, which costs as much as three of them: commands whose results stay
 * outside, as gradients of parameters do, wait for an interruption that some other command needs,
 * and zeros for outside are written at the start.
 */
export function withMirrors(
  commands: readonly Command[],
  mirrored: MirroredOperands,
  sources: Sources,
): Step[] {
  const zeros = new Set(commands.filter((c, i) =>
    c.kind === "clear" && c.tensor.storage &&
    !commands.slice(0, i).some((earlier) => depends(c, earlier))
  ));
  const fresh = new Set(sources.atStart);
  const steps: Step[] = [...zeros];
  for (const tensor of fresh) steps.push({ kind: "mirror", tensor });
  const waiting: Dispatch[] = [];
  const stale = (command: Command): Tensor[] =>
    command.kind !== "dispatch" ? [] : mirrored(command)
      .map((name) => sources.of(operand(command, name)).of)
      .filter((tensor) => !fresh.has(tensor));
  const copy = (command: Command): void => {
    for (const tensor of new Set(stale(command))) {
      steps.push({ kind: "mirror", tensor });
      fresh.add(tensor);
    }
  };
  const emit = (command: Command): void => {
    steps.push(command);
    for (const target of writesOf(command)) {
      for (const tensor of fresh) if (overlap(tensor, target)) fresh.delete(tensor);
    }
  };
  const interrupt = (command?: Command): void => {
    const late = waiting.splice(0);
    late.forEach(copy);
    if (command) copy(command);
    late.forEach(emit);
  };
  for (const command of commands) {
    if (zeros.has(command)) continue;
    if (waiting.some((earlier) => depends(command, earlier))) interrupt();
    const interrupts = command.kind !== "dispatch" || stale(command).length > 0;
    const outside = writesOf(command).every(({ storage }) => storage);
    if (interrupts && outside && command.kind === "dispatch") waiting.push(command);
    else {
      if (interrupts) interrupt(command);
      emit(command);
    }
  }
  interrupt();
  return steps;
}
