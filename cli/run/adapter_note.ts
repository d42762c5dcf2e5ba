import { passedOverWarning } from "../doctor/machine.ts";
import { isSoftware } from "../doctor/passed_over.ts";
import { backendGiven } from "../no_adapter.ts";

/**
 * What to say of a run on a software adapter where the machine has a GPU, with what to do about it.
 * `warning` looks at the machine.
 */
export function adapterNotes(adapter: string, warning = passedOverWarning): string[] {
  if (!isSoftware(adapter)) return [];
  const found = warning(adapter, backendGiven());
  return found === undefined ? [] : [`warning: ${found}`];
}
