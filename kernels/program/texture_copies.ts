import { ALIGNMENT, Tensor } from "../gpu/tensor.ts";
import { overlap, placedOf } from "./ranges.ts";
import type { Command, Dispatch } from "./trace.ts";

/** A copy of a tensor from its buffer to its texture. */
export interface TextureCopy {
  /** The kind of step. */
  readonly kind: "texture copy";
  /** The tensor that is copied. */
  readonly tensor: Tensor;
}

/** A command, or a texture copy that it needs before it. */
export type Step = Command | TextureCopy;

/** Names of the operands that a dispatch loads from texture copies. */
export type CopiedOperands = (dispatch: Dispatch) => readonly string[];

/**
 * The place of a texture copy: from vec4 `first` on in the copy of `of`, which may be the tensor
 * itself.
 */
export interface Source {
  /** The tensor that is copied. */
  readonly of: Tensor;
  /** The first vec4 of it. */
  readonly first: number;
}

/** The operand of this name. */
export function operand(dispatch: Dispatch, name: string): Tensor {
  return dispatch.reads[name] ?? dispatch.writes[name];
}

/** Tensors that a command reads. */
export function readsOf(command: Command): Tensor[] {
  if (command.kind === "dispatch") return Object.values(command.reads).map(placedOf);
  return command.kind === "copy" ? [command.from] : [];
}

/** Tensors that a command writes, or updates in place. */
export function writesOf(command: Command): Tensor[] {
  if (command.kind === "dispatch") return Object.values(command.writes);
  return [command.kind === "clear" ? command.tensor : command.to];
}

/** Tensors from outside that are loaded from texture copies before anything writes to them. */
function found(
  commands: readonly Command[],
  copied: CopiedOperands,
): { read: Set<Tensor>; updated: Set<Tensor> } {
  const read = new Set<Tensor>();
  const updated = new Set<Tensor>();
  const written: Tensor[] = [];
  for (const command of commands) {
    if (command.kind === "dispatch") {
      for (const name of copied(command)) {
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

/** The texture copies of tensors. */
export class Sources {
  readonly #sources = new Map<Tensor, Source>();

  /**
   * Parameters and their like, found in one buffer, have one texture copy of `capacity` vec4 at
   * most. Tensors that are only updated in place, as by optimisers, are copied when their turn
   * comes.
   */
  constructor(commands: readonly Command[], copied: CopiedOperands, capacity: number) {
    const { read, updated } = found(commands, copied);
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

  /** The place of the texture copy of this tensor. */
  of(tensor: Tensor): Source {
    return this.#sources.get(tensor) ?? { of: tensor, first: 0 };
  }
}

/** Words of a tensor up to where another may begin. */
export function alignedWords({ bytes }: Tensor): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT / 4;
}
