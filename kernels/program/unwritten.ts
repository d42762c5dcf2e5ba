import type { Tensor } from "../gpu/tensor.ts";
import { readsOf, writesOf } from "./texture_copies.ts";
import type { Command } from "./trace.ts";

/** Tensors that a command reads, those that it updates in place included. */
function needed(command: Command): Tensor[] {
  if (command.kind !== "dispatch") return readsOf(command);
  const updated = Object.entries(command.writes).flatMap(([name, tensor]) =>
    command.kernel.writes[name] === "update" ? [tensor] : []
  );
  return [...readsOf(command), ...updated];
}

/**
 * Raises a `TypeError` where a tensor inside a program is read before anything is written to it: it
 * would hold what others have left in its memory.
 */
export function demandWritten(commands: readonly Command[]): void {
  const written = new Set<Tensor>();
  for (const command of commands) {
    const missing = needed(command).find((tensor) => !tensor.storage && !written.has(tensor));
    if (missing) {
      const by = command.kind === "dispatch"
        ? `kernel ${command.kernel.name}`
        : `a ${command.kind}`;
      throw new TypeError(
        `Cannot plan a program in which ${by} reads tensor ${missing.name} [${missing.shape}] before ` +
          `anything writes to it`,
      );
    }
    for (const tensor of writesOf(command)) written.add(tensor);
  }
}
