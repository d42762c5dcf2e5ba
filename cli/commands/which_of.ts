import { isWhich, type Which } from "../../nn/which.ts";

/** The network that `--which` names. */
export function whichOf({ which }: { readonly which?: string }): Which | undefined {
  return isWhich(which) ? which : undefined;
}
