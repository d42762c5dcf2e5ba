/**
 * The name of a small network: `small` where there is one, `small-2`, `small-4` and so on where there
 * are several.
 */
export type SmallName = "small" | `small-${string}`;

/** One of the networks that are trained together: the base network, or a small one. */
export type Which = "base" | SmallName;

/** The networks of an adjoined pair. */
export const WHICH: readonly ["base", "small"] = ["base", "small"];

/** The names of networks; letters, digits, `_`, `.` and `-` follow `small-`. */
export const NETWORK_NAME = /^(base|small(-[\w.-]+)?)$/;

/** Whether something is the name of a network. */
export function isWhich(name: unknown): name is Which {
  return typeof name === "string" && NETWORK_NAME.test(name);
}

/** Whether something is the name of a small network. */
export function isSmallName(name: unknown): name is SmallName {
  return isWhich(name) && name !== "base";
}

/** Whether it is one of several small networks. */
export function isOneOfSeveral(which: Which): boolean {
  return which !== "base" && which !== "small";
}

/** What a network is called in a sentence: `small network`, or of several `network small-2`. */
export function networkWords(which: Which): string {
  return which === "base" || which === "small" ? `${which} network` : `network ${which}`;
}

/** A value for each of the networks that are trained together. */
export type ByNetwork<Value> = {
  /** That of the base network. */
  base?: Value;
  /** That of the only small network. */
  small?: Value;
  /** Those of several small networks. */
  [name: `small-${string}`]: Value;
};

/** A record by network, as a list of its entries. */
export function entriesOf<Value>(
  record: Readonly<ByNetwork<Value>>,
): (readonly [Which, Value])[] {
  return Object.entries(record).flatMap(([which, value]) =>
    isWhich(which) && value !== undefined ? [[which, value] as const] : []
  );
}
