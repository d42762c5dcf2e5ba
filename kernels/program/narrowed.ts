import type { Tensor } from "../gpu/tensor.ts";
import { takesHalves } from "./operands.ts";
import type { Command } from "./trace.ts";

/**
 * Keeps tensors inside a program in half floats, those of `marked` that kernels load and store by
 * functions alone: arithmetic stays in float32. Others, which are copied, or read as words or
 * uniforms, stay what they are.
 */
export function narrow(commands: readonly Command[], marked: ReadonlySet<Tensor>): void {
  const others = new Set<Tensor>();
  for (const command of commands) {
    if (command.kind === "copy") others.add(command.from).add(command.to);
    if (command.kind !== "dispatch") continue;
    const { kernel, reads, writes } = command;
    for (const [name, tensor] of Object.entries(reads)) {
      if (!takesHalves(kernel.reads[name])) others.add(tensor);
    }
    for (const [name, tensor] of Object.entries(writes)) {
      if (!takesHalves(kernel.writes[name])) others.add(tensor);
    }
  }
  for (const tensor of marked) {
    if (!tensor.storage && !others.has(tensor)) tensor.narrow();
  }
}
