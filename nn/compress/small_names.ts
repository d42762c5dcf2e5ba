import { printableJson } from "../../data/printable.ts";
import { isSmallName, type SmallName } from "../which.ts";

/** What the name of a small network follows from. */
interface NamedSmall {
  readonly name?: string;
  readonly compression: number;
  readonly widths?: unknown;
}

/** The names of several small networks. Raises errors for none, and for names that are none or equal. */
export function smallNames(small: readonly NamedSmall[]): SmallName[] {
  if (!Array.isArray(small) || !small.length) {
    throw new TypeError("Cannot adjoin: wanted a list of at least one small network, found none");
  }
  const names = (small as readonly NamedSmall[]).map(
    ({ name, compression, widths }, i): SmallName => {
      const end = name ?? (widths ? `${i + 1}` : `${compression}`);
      const found = `small-${end}` as const;
      if (isSmallName(found)) return small.length === 1 && name === undefined ? "small" : found;
      throw new RangeError(
        `Cannot adjoin: wanted letters, digits, _, . and - as name of a small network, found ` +
          printableJson(end),
      );
    },
  );
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return names;
  throw new RangeError(
    `Cannot adjoin: wanted small networks of different names, found ${twice} twice; pass name`,
  );
}
