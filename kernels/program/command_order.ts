import {
  type CopiedOperands,
  operand,
  readsOf,
  type Sources,
  type Step,
  writesOf,
} from "./texture_copies.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { overlap } from "./ranges.ts";
import type { Command } from "./trace.ts";

/** The dependencies of each command: those before it that it has to stay behind. */
function dependencies(commands: readonly Command[]): (readonly number[])[] {
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
    return [...earlier];
  });
}

/**
 * Orders commands and puts texture copies between them. Copies interrupt a pass of kernels, which
 * costs as much as three of them: whatever can run without one runs before the next, and each
 * interruption makes all copies that are due. So branches of a network advance together.
 */
export function schedule(
  commands: readonly Command[],
  copied: CopiedOperands,
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
    command.kind !== "dispatch" ? [] : copied(command)
      .map((name) => sources.of(operand(command, name)).of)
      .filter((tensor) => !fresh.has(tensor));
  // Zeros inside the program wait until they are needed, so that they take no memory before.
  const lazy = commands.map((c) => c.kind === "clear" && !c.tensor.storage);
  const ready = (i: number): boolean => before[i].every((j) => done[j]);
  const left = (): number[] => done.flatMap((is, i) => is ? [] : [i]);
  const interrupt = (): void => {
    for (const i of left()) {
      if (lazy[i] || !before[i].every((j) => done[j] || lazy[j] && ready(j))) continue;
      const needed = before[i].filter((j) => !done[j]);
      needed.forEach(emit);
      if (commands[i].kind !== "dispatch") emit(i);
      for (const tensor of new Set(stale(commands[i]))) {
        steps.push({ kind: "texture copy", tensor });
        fresh.add(tensor);
      }
    }
  };
  for (let rest = left(); rest.length; rest = left()) {
    interrupt();
    for (const i of rest) {
      if (commands[i].kind === "dispatch" && ready(i) && !stale(commands[i]).length) emit(i);
    }
  }
  return steps;
}
