import type { GivenWidths } from "../export/widths_file.ts";
import type { Widths } from "../nn/compress/adjoin.ts";
import { isSmallName, type SmallName } from "../nn/which.ts";

/** Widths of several small networks, by their names. */
export type WidthsByName = Readonly<Record<`small-${string}`, Widths>>;

/** Widths of a run's small networks, and the network that they were found for. */
export type RunWidths = Omit<GivenWidths, "widths"> & { readonly widths: Widths | WidthsByName };

/** Whether widths are those of several small networks: their names have widths by convolution. */
export function areByName(widths: Widths | WidthsByName): widths is WidthsByName {
  const entries = Object.entries(widths);
  return entries.length > 0 &&
    entries.every(([name, of]) =>
      isSmallName(name) && typeof of === "object" && !Array.isArray(of)
    );
}

/** Widths by small network, `small` where they are those of one; none where none are given. */
export function widthsByName(
  widths: Widths | WidthsByName | undefined,
): (readonly [SmallName, Widths])[] {
  if (!widths) return [];
  if (!areByName(widths)) return [["small", widths]];
  return Object.entries(widths).flatMap(([name, of]) => isSmallName(name) ? [[name, of]] : []);
}

/** The widths of the only small network, or of the first. */
export function widthsOfFirst(widths: Widths | WidthsByName | undefined): Widths | undefined {
  return widthsByName(widths).at(0)?.[1];
}

/** The inverse of {@link widthsByName}: those of `small` alone are widths of one network. */
export function joinWidths(
  named: readonly (readonly [SmallName, Widths])[],
): Widths | WidthsByName {
  const [[name, only]] = named;
  if (named.length === 1 && name === "small") return only;
  const byName: Record<`small-${string}`, Widths> = {};
  for (const [name, widths] of named) if (name !== "small") byName[name] = widths;
  return byName;
}

/** Widths of a small network, with its name. */
export interface NamedWidths {
  readonly which: SmallName;
  readonly widths: Widths;
}

/** Widths of small networks with their names, as {@link joinWidths} has them. */
export function joinNamed(found: readonly NamedWidths[]): Widths | WidthsByName {
  return joinWidths(found.map(({ which, widths }) => [which, widths]));
}
