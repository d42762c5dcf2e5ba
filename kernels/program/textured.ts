import type { Tensor } from "../gpu/tensor.ts";
import type { Command, Dispatch } from "./trace.ts";

/** Names of results of a dispatch. */
function resultsIn(dispatch: Dispatch, tensors: ReadonlySet<Tensor>): string[] {
  return Object.keys(dispatch.writes).filter((name) => tensors.has(dispatch.writes[name]));
}

/** Tensors inside the program that are stored and loaded as bulk operands, and nothing else. */
function bulkOnly(commands: readonly Command[]): Set<Tensor> {
  const stored = new Set<Tensor>();
  const loaded = new Set<Tensor>();
  const others = new Set<Tensor>();
  for (const command of commands) {
    if (command.kind === "clear") others.add(command.tensor);
    else if (command.kind === "copy") others.add(command.from).add(command.to);
    else {
      const { kernel, reads, writes } = command;
      for (const [name, tensor] of Object.entries(reads)) {
        (kernel.reads[name] === "bulk" && tensor.type === "f32" ? loaded : others).add(tensor);
      }
      for (const [name, tensor] of Object.entries(writes)) {
        (kernel.writes[name] === "bulk" && !tensor.storage ? stored : others).add(tensor);
      }
    }
  }
  return stored.intersection(loaded).difference(others);
}

/**
 * The results of each dispatch that lie in a texture alone, by name, where kernels load from
 * textures: what they store there need not be copied. A dispatch has `most` textures at most.
 */
export function texturedResults(
  commands: readonly Command[],
  most: number,
): (dispatch: Dispatch) => readonly string[] {
  const tensors = bulkOnly(commands);
  for (const command of commands) {
    if (command.kind !== "dispatch") continue;
    const { kernel } = command;
    const loads = Object.values(kernel.reads).filter((read) => read === "bulk").length +
      Object.values(kernel.writes).filter((write) => write === "update").length;
    const results = resultsIn(command, tensors);
    if (loads + results.length > most) {
      for (const name of results) tensors.delete(command.writes[name]);
    }
  }
  return (dispatch) => resultsIn(dispatch, tensors);
}
