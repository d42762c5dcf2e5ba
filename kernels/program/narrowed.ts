import type { Tensor } from "../gpu/tensor.ts";
import { takesHalves } from "./operands.ts";
import type { Command } from "./trace.ts";

/**
 * Keeps tensors inside a program in half floats: those of `marked` that kernels load and store by
 * functions alone, with arithmetic in float32, and those that are read as half floats and in no
 * other way, such as weights that were gathered. Others, which are copied, or read as words or
 * uniforms, stay what they are.
 */
export function narrow(commands: readonly Command[], marked: ReadonlySet<Tensor>): void {
  const others = new Set<Tensor>();
  const halves = new Set<Tensor>();
  const floats = new Set<Tensor>();
  for (const command of commands) {
    if (command.kind === "copy") others.add(command.from).add(command.to);
    if (command.kind !== "dispatch") continue;
    const { kernel, reads, writes } = command;
    for (const [name, tensor] of Object.entries(reads)) {
      if (!takesHalves(kernel.reads[name])) others.add(tensor);
      (kernel.reads[name] === "half" ? halves : floats).add(tensor);
    }
    for (const [name, tensor] of Object.entries(writes)) {
      if (!takesHalves(kernel.writes[name])) others.add(tensor);
      if (kernel.writes[name] === "update") floats.add(tensor);
    }
  }
  for (const tensor of marked.union(halves.difference(floats))) {
    const inside = tensor.temporary && !tensor.storage && tensor.type === "f32";
    if (inside && !others.has(tensor)) tensor.narrow();
  }
}
