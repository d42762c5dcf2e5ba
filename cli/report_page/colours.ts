import { isWhich, type Which } from "../../nn/which.ts";

/** Small networks that have colours of their own; more begin anew. */
const SMALL = 5;

/** The colour of the base network, as of all that is told of it. */
export const BASE = "var(--base)";

/** The colour of what is beside the run. */
export const OTHER = "var(--other)";

/** The colour of the n-th small network, counted from 0. */
export function smallColour(n: number): string {
  return n % SMALL === 0 ? "var(--small)" : `var(--small-${n % SMALL + 1})`;
}

/** Colours of networks by name, the same in all charts. */
export function coloursOf(names: readonly string[]): (name: string) => string {
  const small: readonly Which[] = names.filter(isWhich).filter((name) => name !== "base");
  return (name) =>
    name === "base" ? BASE : isWhich(name) ? smallColour(Math.max(0, small.indexOf(name))) : OTHER;
}
