/** One of the two networks of an adjoined pair. */
export type Which = "base" | "small";

/** The networks of an adjoined pair. */
export const WHICH: readonly ["base", "small"] = ["base", "small"];
