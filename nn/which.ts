/** The networks of an adjoined pair. */
export const WHICH = ["base", "small"] as const;

/** One of the two networks. */
export type Which = typeof WHICH[number];
